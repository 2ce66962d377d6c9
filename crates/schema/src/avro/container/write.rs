//! Writing a container file into memory.

use super::{Codec, ContainerError, MAGIC};
use crate::avro::{
    binary::{DataError, Encoder, put_bytes, put_long},
    model::AvroSchema,
    value::Value,
};

/// Bytes of a block before it is packed.
const BLOCK_BYTES: usize = 64 << 10;

/// Writes data of one schema. Take the bytes with [`ContainerWriter::finish`], or piece by piece with
/// [`ContainerWriter::take`].
#[derive(Debug)]
pub struct ContainerWriter {
    encoder: Encoder,
    codec: Codec,
    sync: [u8; 16],
    /// The open block, not packed.
    block: Vec<u8>,
    /// Data in the open block.
    count: i64,
    packed: Vec<u8>,
    out: Vec<u8>,
}

impl ContainerWriter {
    /// Begins a file. `sync` separates its blocks: sixteen bytes by chance.
    pub fn new(schema: &AvroSchema, codec: Codec, sync: [u8; 16]) -> ContainerWriter {
        ContainerWriter::with_metadata(schema, codec, sync, &[])
    }

    /// Begins a file with further metadata. Names that start with `avro.` belong to the specification.
    pub fn with_metadata(
        schema: &AvroSchema,
        codec: Codec,
        sync: [u8; 16],
        metadata: &[(&str, &[u8])],
    ) -> ContainerWriter {
        let mut out = MAGIC.to_vec();
        let text = schema.to_json_inline().to_string();
        put_long(&mut out, 2 + metadata.len() as i64);
        let own = [
            ("avro.schema", text.as_bytes()),
            ("avro.codec", codec.name().as_bytes()),
        ];
        for (name, value) in own.iter().chain(metadata) {
            put_bytes(&mut out, name.as_bytes());
            put_bytes(&mut out, value);
        }
        out.push(0);
        out.extend_from_slice(&sync);
        let encoder = Encoder::new(schema);
        ContainerWriter {
            encoder,
            codec,
            sync,
            block: Vec::new(),
            count: 0,
            packed: Vec::new(),
            out,
        }
    }

    /// Adds one datum. After a refusal the file is as it was.
    pub fn append(&mut self, value: &Value) -> Result<(), ContainerError> {
        let refused = |error: DataError| ContainerError::Data { block: 0, error };
        self.encoder.encode(value, &mut self.block).map_err(refused)?;
        self.count += 1;
        if self.block.len() >= BLOCK_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Ends the open block.
    pub fn flush(&mut self) -> Result<(), ContainerError> {
        if self.count == 0 {
            return Ok(());
        }
        let failed = |what| ContainerError::Block { block: 0, what };
        self.codec
            .compress(&self.block, &mut self.packed)
            .map_err(failed)?;
        put_long(&mut self.out, self.count);
        put_bytes(&mut self.out, &self.packed);
        self.out.extend_from_slice(&self.sync);
        self.block.clear();
        self.count = 0;
        Ok(())
    }

    /// The bytes of ended blocks that were not taken yet.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<Vec<u8>, ContainerError> {
        self.flush()?;
        Ok(self.out)
    }
}
