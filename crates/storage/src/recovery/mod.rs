//! From chunks back to logs.
//!
//! Groups are read in lsn order. The first one that does not hold is either the torn end of the last write, and is cut
//! together with all behind it, or damage to something that was once durable: then it is isolated, never cut
//! (invariant 7). Which of the two it is, later groups of the same life tell.

mod apply;
mod scan;

use std::path::PathBuf;
use std::sync::Arc;

use os::OpenOptions;
use rustc_hash::FxHashMap;
use types::TopicIdPartition;

use crate::Error;
use crate::chunk::Chunk;
use crate::format::{CHUNK_HEADER_BYTES, ChunkHeader};
use crate::log::Inner;
use crate::stream::{Place, Stream};
use scan::{Found, Scanner};

/// What recovery did, for a log line and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    pub chunks: usize,
    pub groups: u64,
    pub bytes: u64,
    /// Torn ends that were cut.
    pub cut: usize,
    /// Damage that was isolated, in words.
    pub damage: Vec<String>,
}

/// A log in the making.
#[derive(Debug, Default)]
pub(crate) struct Building {
    pub(crate) topic_name: String,
    pub(crate) incarnation: u32,
    pub(crate) inner: Inner,
    /// Something of it is lost.
    pub(crate) damaged: bool,
    /// Damage lies before, and nothing since has shown that it was not this log's.
    pub(crate) doubtful: bool,
}

#[derive(Default)]
pub(crate) struct Recovered {
    pub(crate) logs: FxHashMap<TopicIdPartition, Building>,
    pub(crate) place: Option<Place>,
    pub(crate) last_chunk_id: u64,
}

/// Reads a stream from its first chunk to its end.
pub(crate) fn recover(
    stream: &Arc<Stream>,
    past_the_cache: bool,
    report: &mut RecoveryReport,
) -> Result<Recovered, Error> {
    let mut recovered = Recovered::default();
    let chunks = open_chunks(stream, past_the_cache)?;
    let count = chunks.len();
    for (at, (header, chunk)) in chunks.into_iter().enumerate() {
        report.chunks += 1;
        recovered.last_chunk_id = chunk.id;
        stream.add_chunk(chunk.clone());
        continue_at(&mut recovered, &header, chunk, report);
        let is_last = at + 1 == count;
        read_chunk(&mut recovered, is_last, report)?;
    }
    if let Some(place) = &recovered.place {
        // What was read may still be in the page cache alone.
        place.chunk.sync()?;
    }
    for (target, building) in &mut recovered.logs {
        if building.doubtful && !building.damaged {
            building.damaged = true;
            report.damage.push(format!("{target} may have lost its newest records"));
        }
    }
    for damage in &report.damage {
        tracing::error!(%damage, "damage in the log, its partition is offline");
    }
    Ok(recovered)
}

/// The stream's chunks in order.
fn open_chunks(stream: &Stream, past_the_cache: bool) -> Result<Vec<(ChunkHeader, Arc<Chunk>)>, Error> {
    let folder = &stream.folder;
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |error| Error::io(&path, error)
    };
    let mut chunks = Vec::new();
    for path in stream.os.disk.list(folder).map_err(failed(folder))? {
        if path.extension().is_none_or(|extension| extension != "stream") {
            continue;
        }
        let file = stream.os.disk.open(&path, OpenOptions::default()).map_err(failed(&path))?;
        if past_the_cache {
            file.drop_cache();
        }
        let mut page = vec![0; CHUNK_HEADER_BYTES];
        let header = match file.read_exact_at(&mut page, 0) {
            Ok(()) => ChunkHeader::decode(&page),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => return Err(Error::io(&path, error)),
        };
        match header {
            Ok(Some(header)) if header.directory_id == stream.directory_id => {
                let (id, life, bytes) = (header.chunk_id, header.life, header.chunk_bytes);
                chunks.push((header, Arc::new(Chunk::new(id, life, bytes, file, path))));
            }
            Ok(None) => {
                // Its header was durable before the file had this name.
                let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                let chunk = u64::from_str_radix(name, 16).unwrap_or(0);
                return Err(Error::Damaged { chunk, position: 0, what: "its header" });
            }
            Ok(Some(_)) => return Err(Error::Unusable { path, reason: "it belongs to another directory".into() }),
            Err(version) => {
                let reason = format!("it needs a reader of format {version}");
                return Err(Error::Unusable { path, reason });
            }
        }
    }
    chunks.sort_by_key(|(header, _)| header.chunk_id);
    Ok(chunks)
}

/// Goes on from the end of the chunk before, if the header fits it.
fn continue_at(recovered: &mut Recovered, header: &ChunkHeader, chunk: Arc<Chunk>, report: &mut RecoveryReport) {
    let fits = match &recovered.place {
        None => header.prev_chunk_id == 0,
        Some(place) => {
            place.chunk.id == header.prev_chunk_id
                && place.position == header.prev_end
                && place.chain == header.prev_chain
                && place.lsn + 1 == header.first_lsn
        }
    };
    if !fits {
        report.damage.push(format!("chunk {:016x} does not follow the one before it", header.chunk_id));
        recovered.doubt_all();
    }
    recovered.place = Some(Place {
        chunk,
        position: CHUNK_HEADER_BYTES as u64,
        chain: header.prev_chain,
        lsn: header.first_lsn.saturating_sub(1),
        tail: Vec::new(),
        sealed: false,
    });
}

fn read_chunk(recovered: &mut Recovered, is_last: bool, report: &mut RecoveryReport) -> Result<(), Error> {
    let Some(mut place) = recovered.place.take() else { return Ok(()) };
    let mut scanner = Scanner::new(place.chunk.clone());
    loop {
        let found = scanner.group(&place)?;
        match found {
            Found::Whole(group) => {
                report.groups += 1;
                report.bytes += group.header.group_bytes;
                let sealed = recovered.apply(&mut scanner, &place, &group)?;
                place.position += group.header.group_bytes;
                place.chain = group.header.crc;
                place.lsn = group.header.lsn;
                if sealed {
                    place.sealed = true;
                    break;
                }
            }
            Found::Bad(what) => {
                let later = scanner.later_group(&place)?;
                let was_synced = !is_last || later.as_ref().is_some_and(|later| place.lsn < later.synced_lsn_max);
                if !was_synced {
                    report.cut += usize::from(what.is_some());
                    break;
                }
                let position = place.position;
                report.damage.push(format!(
                    "chunk {:016x} at byte {position}: {}",
                    place.chunk.id,
                    what.unwrap_or("no group where one was synced")
                ));
                recovered.doubt_all();
                let Some(later) = later else { break };
                place.position = later.position;
                place.chain = later.chain;
                place.lsn = later.lsn - 1;
            }
        }
    }
    place.tail = scanner.page_tail(place.position)?;
    recovered.place = Some(place);
    Ok(())
}

impl Recovered {
    /// Damage lies here, and it may be anybody's.
    fn doubt_all(&mut self) {
        self.logs.values_mut().for_each(|building| building.doubtful = true);
    }
}
