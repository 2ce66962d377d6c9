//! Parsing canonical form and its fingerprints, as the specification defines them.

use std::collections::HashSet;
use std::fmt::Write;

use super::model::{AvroSchema, Kind, TypeId};
use crate::digest::{md5, sha256};

impl AvroSchema {
    /// What decides how data is parsed, in one text: full names, no docs, defaults, aliases or properties.
    ///
    /// ```
    /// use schema::avro::AvroSchema;
    /// let schema = AvroSchema::parse(r#"{"type": "fixed", "size": 4, "namespace": "n", "name": "F", "doc": "d"}"#)?;
    /// assert_eq!(schema.canonical_form(), r#"{"name":"n.F","type":"fixed","size":4}"#);
    /// # Ok::<(), schema::SchemaError>(())
    /// ```
    pub fn canonical_form(&self) -> String {
        let mut form = Form {
            schema: self,
            written: HashSet::new(),
            out: String::new(),
        };
        // Writing to a string does not fail.
        let _ = form.schema(self.root());
        form.out
    }

    /// CRC-64-AVRO of the canonical form, the specification's Rabin fingerprint.
    pub fn fingerprint_rabin(&self) -> u64 {
        rabin(self.canonical_form().as_bytes())
    }

    /// MD5 of the canonical form.
    pub fn fingerprint_md5(&self) -> [u8; 16] {
        md5(self.canonical_form().as_bytes())
    }

    /// SHA-256 of the canonical form.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        sha256(self.canonical_form().as_bytes())
    }
}

struct Form<'a> {
    schema: &'a AvroSchema,
    written: HashSet<TypeId>,
    out: String,
}

impl Form<'_> {
    fn schema(&mut self, id: TypeId) -> std::fmt::Result {
        let kind = self.schema.kind(id);
        if let Some(name) = kind.name()
            && !self.written.insert(id)
        {
            return write!(self.out, "\"{name}\"");
        }
        match kind {
            Kind::Array(items) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.schema(*items)?;
                self.out.push('}');
            }
            Kind::Map(values) => {
                self.out.push_str("{\"type\":\"map\",\"values\":");
                self.schema(*values)?;
                self.out.push('}');
            }
            Kind::Union(branches) => {
                self.out.push('[');
                self.list(branches.len(), |form, n| {
                    branches.get(n).map_or(Ok(()), |id| form.schema(*id))
                })?;
                self.out.push(']');
            }
            Kind::Record(record) => {
                let word = if record.is_error { "error" } else { "record" };
                write!(
                    self.out,
                    "{{\"name\":\"{}\",\"type\":\"{word}\",\"fields\":[",
                    record.name
                )?;
                self.list(record.fields.len(), |form, n| {
                    let Some(field) = record.fields.get(n) else {
                        return Ok(());
                    };
                    write!(form.out, "{{\"name\":\"{}\",\"type\":", field.name)?;
                    form.schema(field.schema)?;
                    form.out.push('}');
                    Ok(())
                })?;
                self.out.push_str("]}");
            }
            Kind::Enum(symbols) => {
                write!(
                    self.out,
                    "{{\"name\":\"{}\",\"type\":\"enum\",\"symbols\":[",
                    symbols.name
                )?;
                self.list(symbols.symbols.len(), |form, n| {
                    let symbol = symbols.symbols.get(n).map_or("", String::as_str);
                    write!(form.out, "\"{symbol}\"")
                })?;
                self.out.push_str("]}");
            }
            Kind::Fixed(fixed) => {
                write!(
                    self.out,
                    "{{\"name\":\"{}\",\"type\":\"fixed\",\"size\":{}}}",
                    fixed.name, fixed.size
                )?;
            }
            simple => write!(self.out, "\"{}\"", simple.word())?,
        }
        Ok(())
    }

    fn list(
        &mut self,
        length: usize,
        mut item: impl FnMut(&mut Self, usize) -> std::fmt::Result,
    ) -> std::fmt::Result {
        for n in 0..length {
            if n > 0 {
                self.out.push(',');
            }
            item(self, n)?;
        }
        Ok(())
    }
}

/// The fingerprint of no bytes, and the polynomial.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

#[allow(clippy::indexing_slicing)] // Runs at compile time only.
const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut fingerprint = i as u64;
        let mut bit = 0;
        while bit < 8 {
            fingerprint = (fingerprint >> 1) ^ (EMPTY & (fingerprint & 1).wrapping_neg());
            bit += 1;
        }
        table[i] = fingerprint;
        i += 1;
    }
    table
};

/// CRC-64-AVRO.
pub fn rabin(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |sum, byte| {
        let at = (sum as u8 ^ byte) as usize;
        (sum >> 8) ^ TABLE.get(at).copied().unwrap_or_default()
    })
}
