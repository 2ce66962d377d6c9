//! Reading a container file from a slice.

use super::{Codec, ContainerError, MAGIC};
use crate::{
    Format, Limits, Source, Stopped, Work,
    avro::{
        binary::{DataLimits, Decoder, Input},
        model::AvroSchema,
        parse::Defaults,
        value::Value,
    },
};

/// Reads the data of a container file, block by block.
///
/// ```
/// use schema::avro::{AvroSchema, Codec, ContainerReader, ContainerWriter, Value};
/// let schema = AvroSchema::parse("\"string\"")?;
/// let mut writer = ContainerWriter::new(&schema, Codec::Zstandard, [7; 16]);
/// writer.append(&Value::String("hello".into()))?;
/// let bytes = writer.finish()?;
///
/// let mut reader = ContainerReader::new(&bytes)?;
/// let mut value = Value::Null;
/// assert!(reader.next_into(&mut value)?);
/// assert_eq!(value, Value::String("hello".into()));
/// assert!(!reader.next_into(&mut value)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ContainerReader<'a> {
    schema: AvroSchema,
    codec: Codec,
    metadata: Vec<(String, Vec<u8>)>,
    sync: [u8; 16],
    decoder: Decoder,
    limits: DataLimits,
    /// The blocks that were not opened yet.
    rest: &'a [u8],
    /// The open block, unpacked.
    block: Vec<u8>,
    /// Bytes of the open block that were read.
    read: usize,
    /// Data of the open block that were not read.
    left: u64,
    /// Blocks opened so far.
    blocks: u64,
}

impl<'a> ContainerReader<'a> {
    /// Opens a file whose data are read as they were written.
    pub fn new(bytes: &'a [u8]) -> Result<ContainerReader<'a>, ContainerError> {
        ContainerReader::within(bytes, &Limits::default(), DataLimits::default())
    }

    /// Opens a file under the given bounds. `data` also bounds a block, packed and unpacked.
    pub fn within(
        bytes: &'a [u8],
        limits: &Limits,
        data: DataLimits,
    ) -> Result<ContainerReader<'a>, ContainerError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(ContainerError::NotAContainer)?;
        let mut input = Input::new(rest, &data);
        let metadata = read_metadata(&mut input).ok_or(ContainerError::Cut("the metadata"))?;
        let (sync, rest) = input
            .rest
            .split_first_chunk::<16>()
            .ok_or(ContainerError::Cut("the sync marker"))?;
        let find = |name: &str| {
            metadata
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_slice())
        };
        let text = find("avro.schema").ok_or(ContainerError::NoSchema)?;
        let source = Source::new(Format::Avro, String::from_utf8_lossy(text));
        let schema = AvroSchema::parse_with(&source, limits, Defaults::Unchecked)?;
        let codec = String::from_utf8_lossy(find("avro.codec").unwrap_or(b"null")).into_owned();
        let codec = Codec::of_name(&codec).ok_or(ContainerError::UnknownCodec(codec))?;
        let decoder = Decoder::new(&schema, &schema, &mut Work::default())
            .map_err(|stopped| ContainerError::Block {
                block: 0,
                what: stopped.to_string(),
            })?
            .within(data);
        let (sync, block) = (*sync, Vec::new());
        let reader = ContainerReader {
            schema,
            codec,
            metadata,
            sync,
            decoder,
            limits: data,
            rest,
            block,
            read: 0,
            left: 0,
            blocks: 0,
        };
        Ok(reader)
    }

    /// Reads the data as another schema from here on.
    pub fn read_as(&mut self, reader: &AvroSchema, work: &mut Work<'_>) -> Result<(), Stopped> {
        self.decoder = Decoder::new(&self.schema, reader, work)?.within(self.limits);
        Ok(())
    }

    /// The schema that the file was written with.
    pub fn schema(&self) -> &AvroSchema {
        &self.schema
    }

    /// How its blocks are compressed.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The file's metadata, `avro.schema` and `avro.codec` among it.
    pub fn metadata(&self) -> &[(String, Vec<u8>)] {
        &self.metadata
    }

    /// Reads the next datum into `value`, whose memory is used again; false at the end of the file.
    pub fn next_into(&mut self, value: &mut Value) -> Result<bool, ContainerError> {
        while self.left == 0 {
            if self.rest.is_empty() {
                return Ok(false);
            }
            self.open_block()?;
        }
        let block = self.blocks;
        let bytes = self.block.get(self.read..).unwrap_or_default();
        let rest = self
            .decoder
            .decode_first(bytes, value)
            .map_err(|error| ContainerError::Data { block, error })?;
        self.read += bytes.len() - rest.len();
        self.left -= 1;
        if self.left == 0 && !rest.is_empty() {
            let what = format!("{} bytes follow its last datum", rest.len());
            return Err(ContainerError::Block { block, what });
        }
        Ok(true)
    }

    fn open_block(&mut self) -> Result<(), ContainerError> {
        self.blocks += 1;
        let block = self.blocks;
        let mut input = Input::new(self.rest, &self.limits);
        let (count, size) = match (input.long(), input.long()) {
            (Ok(count), Ok(size)) => (count, size),
            _ => return Err(ContainerError::Cut("the head of a block")),
        };
        let fault = |what: &str| ContainerError::Block {
            block,
            what: what.to_owned(),
        };
        let count = u64::try_from(count).map_err(|_| fault("its number of data is negative"))?;
        let size = usize::try_from(size).map_err(|_| fault("its length is negative"))?;
        let packed = input.take(size).map_err(|_| ContainerError::Cut("a block"))?;
        let (sync, rest) = input
            .rest
            .split_first_chunk::<16>()
            .ok_or(ContainerError::Cut("the sync marker of a block"))?;
        if *sync != self.sync {
            return Err(fault("its sync marker is not the file's"));
        }
        self.codec
            .decompress(packed, self.limits.memory_bytes_max, &mut self.block)
            .map_err(|what| ContainerError::Block {
                block,
                what: format!("{}: {what}", self.codec.name()),
            })?;
        if count == 0 && !self.block.is_empty() {
            return Err(fault("it has bytes but no data"));
        }
        self.rest = rest;
        self.read = 0;
        self.left = count;
        Ok(())
    }
}

/// A map of bytes in the binary encoding.
fn read_metadata(input: &mut Input<'_>) -> Option<Vec<(String, Vec<u8>)>> {
    let mut metadata = Vec::new();
    loop {
        let count = input.block().ok()?;
        if count == 0 {
            return Some(metadata);
        }
        for _ in 0..count {
            let key = input.text().ok()?;
            let value = input.bytes().ok()?;
            input.spend(key.len() + value.len() + 64).ok()?;
            metadata.push((key.to_owned(), value.to_vec()));
        }
    }
}
