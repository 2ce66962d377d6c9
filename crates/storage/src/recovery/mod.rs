//! From chunks back to logs.
//!
//! Groups are read in lsn order. The first one that does not hold is either the torn end of the last write, and is cut
//! together with all behind it, or damage to something that was once durable: then it is isolated, never cut
//! (invariant 7). Which of the two it is, later groups of the same life tell.

mod apply;
mod deltas;
mod load;
mod rebuild;
mod scan;
mod sorted;

use std::path::PathBuf;
use std::sync::Arc;

use os::OpenOptions;
use rustc_hash::FxHashMap;
use types::{Offset, TopicIdPartition};

use crate::chunk::Chunk;
use crate::format::checkpoint::StreamPlace;
use crate::format::{CHUNK_HEADER_BYTES, ChunkHeader};
use crate::log::Inner;
use crate::stream::{Place, Stream};
use crate::{Error, SeededBug};
use scan::{Found, Scanner};

pub(crate) use load::load;
pub(crate) use rebuild::rebuild_footer;

/// What recovery did, for a log line and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Chunks that were read.
    pub chunks: usize,
    /// Of those, the ones whose footer said enough.
    pub footers: usize,
    /// The process before this one stopped cleanly: nothing that it acknowledged can be missing.
    pub clean: bool,
    pub groups: u64,
    pub bytes: u64,
    /// The latest wall clock that anything in the log was written at; 0 in a new one.
    pub newest_wall_ms: i64,
    /// Torn ends that were cut.
    pub cut: usize,
    /// Checkpoints that did not hold.
    pub damaged_checkpoints: usize,
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
    /// What, in words. Nobody needs to know if the log ends later.
    pub(crate) losses: Vec<String>,
    /// Damage lies before, and nothing since has shown that it was not this log's.
    pub(crate) doubtful: bool,
    /// Records before its first may lie in sorted chunks.
    pub(crate) start_guessed: bool,
    /// Offsets that were in chunks which are gone, and for which no checkpoint is left.
    pub(crate) gaps: Vec<(Offset, Offset)>,
}

impl Building {
    /// For people: as tools name a partition, if its topic is known.
    fn name(&self, target: &TopicIdPartition) -> String {
        if self.topic_name.is_empty() {
            target.to_string()
        } else {
            format!("{}-{} ({target})", self.topic_name, target.partition)
        }
    }
}

#[derive(Default)]
pub(crate) struct Recovered {
    pub(crate) logs: FxHashMap<TopicIdPartition, Building>,
    pub(crate) place: Option<Place>,
    pub(crate) last_chunk_id: u64,
    pub(crate) last_incarnation: u32,
    /// There is no checkpoint, and chunks that were before the first one have been used again.
    prefix_lost: bool,
    /// What was found damaged, in words, where it is not known whose it is.
    damage: Vec<String>,
}

/// What a stream is recovered from, beside its chunks.
#[derive(Default)]
pub(crate) struct From {
    /// Where the checkpoint says that replay begins.
    pub(crate) place: Option<StreamPlace>,
    pub(crate) logs: FxHashMap<TopicIdPartition, Building>,
    /// A sync failed before: what the page cache says is not believed.
    pub(crate) past_the_cache: bool,
    /// The last process stopped cleanly: behind the place there is nothing.
    pub(crate) clean: bool,
    /// Lines of damage that were logged already: those of another stream.
    pub(crate) known_damage: usize,
}

/// Reads a stream from its checkpoint, or its first chunk, to its end.
pub(crate) fn recover(
    stream: &Arc<Stream>,
    mut from: From,
    report: &mut RecoveryReport,
) -> Result<Recovered, Error> {
    let mut recovered = Recovered {
        logs: std::mem::take(&mut from.logs),
        ..Recovered::default()
    };
    let chunks = open_chunks(stream, from.past_the_cache)?;
    let sorted_chunks = sorted::open(stream, from.past_the_cache, report)?;
    chunks
        .iter()
        .for_each(|(_, chunk)| stream.add_chunk(chunk.clone()));
    let first = from.place.map_or(0, |place| place.chunk);
    if let Some(place) = from
        .place
        .filter(|place| !chunks.iter().any(|(_, chunk)| chunk.id == place.chunk))
    {
        return Err(Error::Damaged {
            chunk: place.chunk,
            position: 0,
            what: "it is missing",
        });
    }
    let newest_sorted = sorted_chunks.last().map_or(0, |chunk| chunk.id);
    recovered.last_chunk_id = chunks.last().map_or(0, |(_, chunk)| chunk.id).max(newest_sorted);
    let replayed: Vec<_> = chunks
        .into_iter()
        .filter(|(_, chunk)| first <= chunk.id)
        .collect();
    let doubted: Vec<Arc<Chunk>> = replayed
        .iter()
        .filter(|_| from.past_the_cache)
        .map(|(_, chunk)| chunk.clone())
        .collect();
    replay(&mut recovered, stream, &from, replayed, report)?;
    for chunk in doubted {
        chunk.check_cache()?;
    }
    if recovered.prefix_lost {
        recovered.adopt(stream, &sorted_chunks)?;
    }
    recovered.check_indexes(stream);
    if stream.options.has_bug(SeededBug::DedupLostOnRecovery) {
        recovered
            .logs
            .values_mut()
            .for_each(|log| log.inner.state.producers = Default::default());
    }
    if let Some(place) = &recovered.place {
        // What was read may still be in the page cache alone.
        place.chunk.sync()?;
    }
    recovered.tell(from.known_damage, report);
    Ok(recovered)
}

/// Reads chunk after chunk, or takes what its footer says.
fn replay(
    recovered: &mut Recovered,
    stream: &Stream,
    from: &From,
    chunks: Vec<(ChunkHeader, Arc<Chunk>)>,
    report: &mut RecoveryReport,
) -> Result<(), Error> {
    let headers = chunks.iter().skip(1).map(|(header, _)| Some(header.clone()));
    let followers: Vec<Option<ChunkHeader>> = headers.chain([None]).collect();
    for ((header, chunk), follower) in chunks.into_iter().zip(followers) {
        report.chunks += 1;
        match from.place.filter(|place| place.chunk == chunk.id) {
            Some(place) => recovered.place = Some(Place::at_checkpoint(chunk, &place)),
            None => continue_at(recovered, &header, chunk, from.place.is_some()),
        }
        let may = !from.past_the_cache && recovered.is_sound();
        if let Some(follower) = follower.as_ref().filter(|_| may)
            && recovered.take_delta(follower, report)?
        {
            continue;
        }
        read_chunk(recovered, stream, follower.is_none(), from.clean, report)?;
    }
    Ok(())
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
        let file = stream
            .os
            .disk
            .open(&path, OpenOptions::default())
            .map_err(failed(&path))?;
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
            Ok(Some(header))
                if path
                    .file_name()
                    .is_some_and(|name| *name != *Chunk::file_name(header.kind, header.chunk_id)) =>
            {
                // It was recycled and got its next header, but not yet its next name: nothing in it counts.
                stream.os.disk.remove_file(&path).map_err(failed(&path))?;
            }
            Ok(Some(header)) if header.directory_id == stream.directory_id => {
                let chunk = Arc::new(Chunk::new(&header, file, path).past_the_cache(past_the_cache));
                chunks.push((header, chunk));
            }
            Ok(None) => {
                // Its header was durable before the file had this name.
                let name = path
                    .file_stem()
                    .and_then(|stem| stem.to_str())
                    .unwrap_or_default();
                let chunk = u64::from_str_radix(name, 16).unwrap_or(0);
                return Err(Error::Damaged {
                    chunk,
                    position: 0,
                    what: "its header",
                });
            }
            Ok(Some(_)) => {
                return Err(Error::Unusable {
                    path,
                    reason: "it belongs to another directory".into(),
                });
            }
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
fn continue_at(recovered: &mut Recovered, header: &ChunkHeader, chunk: Arc<Chunk>, knows_all: bool) {
    let fits = match &recovered.place {
        None => {
            recovered.prefix_lost = header.prev_chunk_id != 0;
            true
        }
        // Without a checkpoint nothing says that the chunks between were used again; what they held and is kept lies in
        // sorted ones.
        Some(place) if !knows_all && place.chunk.id < header.prev_chunk_id => {
            recovered.prefix_lost = true;
            true
        }
        Some(place) => {
            place.chunk.id == header.prev_chunk_id
                && place.position == header.prev_end
                && place.chain == header.prev_chain
                && place.lsn + 1 == header.first_lsn
        }
    };
    if !fits {
        recovered.damage.push(format!(
            "chunk {:016x} does not follow the one before it",
            header.chunk_id
        ));
        recovered.doubt_all();
    }
    recovered.place = Some(Place::at_begin(chunk, header));
}

fn read_chunk(
    recovered: &mut Recovered,
    stream: &Stream,
    is_last: bool,
    clean: bool,
    report: &mut RecoveryReport,
) -> Result<(), Error> {
    let Some(mut place) = recovered.place.take() else {
        return Ok(());
    };
    let mut scanner = Scanner::new(place.chunk.clone());
    scanner.keeps_torn = stream.options.has_bug(SeededBug::KeepTornBatch);
    loop {
        let found = scanner.group(&place)?;
        // Of a group that does not hold, a later one knows whether it was synced: damage, or a torn end.
        let later = match &found {
            Found::Whole(_) => None,
            Found::Bad(None) if is_last && clean => break,
            Found::Rotten(_) | Found::Bad(_) => scanner.later_group(&place)?,
        };
        let synced_lsn_max = later.as_ref().map_or(0, |later| later.synced_lsn_max);
        let was_synced = !is_last || place.lsn < synced_lsn_max;
        match found {
            Found::Bad(None) if !was_synced => break,
            Found::Rotten(_) | Found::Bad(_) if !was_synced => {
                report.cut += 1;
                break;
            }
            Found::Whole(group) | Found::Rotten(group) => {
                report.groups += 1;
                report.bytes += group.header.group_bytes;
                report.newest_wall_ms = report.newest_wall_ms.max(group.header.wall_ms);
                let sealed = recovered.apply(stream, &mut scanner, &place, &group)?;
                place.pass(&group.header);
                if sealed {
                    place.sealed = true;
                    break;
                }
            }
            Found::Bad(what) => {
                let position = place.position;
                recovered.damage.push(format!(
                    "chunk {:016x} at byte {position}: {}",
                    place.chunk.id,
                    what.unwrap_or("no group where one was synced")
                ));
                recovered.doubt_all();
                let Some(later) = later else { break };
                place.jump(later.position, later.chain, later.lsn);
            }
        }
    }
    place.tail = scanner.page_tail(place.position)?;
    recovered.place = Some(place);
    Ok(())
}

impl Recovered {
    /// Says what is damaged, behind what was said already.
    fn tell(&mut self, known: usize, report: &mut RecoveryReport) {
        for (target, building) in &mut self.logs {
            self.damage.append(&mut building.losses);
            if building.doubtful && !building.damaged {
                building.damaged = true;
                let name = building.name(target);
                self.damage
                    .push(format!("{name} may have lost its newest records"));
            }
        }
        report.damage.append(&mut self.damage);
        for damage in report.damage.iter().skip(known) {
            tracing::error!(%damage, action = "check the disk, restore or delete that partition; all others are served", "damage in the log, its partition is offline");
        }
    }

    /// What a checkpoint promised must have been found, and every chunk that a log names must be there.
    fn check_indexes(&mut self, stream: &Stream) {
        for (target, building) in &mut self.logs {
            let index = &building.inner.index;
            let runs = index.runs().iter().map(|run| run.chunk);
            let missing = runs
                .chain(index.open().iter().map(|extent| extent.chunk))
                .find(|id| stream.chunk(*id).is_none());
            if let Some(missing) = missing {
                building.damaged = true;
                let name = building.name(target);
                self.damage.push(format!(
                    "{name} has records in chunk {missing:016x}, which is missing"
                ));
            } else if index.end() != building.inner.assigned {
                building.damaged = true;
                self.damage
                    .push(format!("{} lacks its newest records", building.name(target)));
            }
        }
    }

    /// Damage lies here, and it may be anybody's.
    fn doubt_all(&mut self) {
        self.logs
            .values_mut()
            .for_each(|building| building.doubtful = true);
    }
}
