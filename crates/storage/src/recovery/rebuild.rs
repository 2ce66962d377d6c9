//! The fine index of a sealed chunk without a footer: from its groups.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use types::{Offset, TopicIdPartition};

use super::scan::{Found, Group, Scanner};
use crate::chunk::Chunk;
use crate::format::footer::Footer;
use crate::format::{CHUNK_HEADER_BYTES, ChunkHeader, EntryType};
use crate::log::{Extent, Run};
use crate::stream::{Place, footer_run};
use crate::{Error, ReadError};

type Extents = FxHashMap<(TopicIdPartition, u32), Vec<Extent>>;

/// Reads a chunk and gives the footer that it should have, without states.
pub(crate) fn rebuild_footer(chunk: &Arc<Chunk>) -> Result<Footer, ReadError> {
    let damaged = |what: String| ReadError::Damaged {
        chunk: chunk.id,
        position: 0,
        what,
    };
    let extents = scan(chunk).map_err(|error| match error {
        Error::Io { error, .. } => ReadError::Io(error),
        other => damaged(other.to_string()),
    })?;
    let mut footer = Footer::default();
    for (log, extents) in extents {
        let Some(run) = Run::of(&extents) else { continue };
        let next = extents.last().map_or(run.base, |extent| extent.next);
        let run = footer_run(log, &run, next, &extents);
        footer
            .runs
            .push(run.ok_or_else(|| damaged("its offsets are too far apart".to_owned()))?);
    }
    Ok(footer)
}

fn scan(chunk: &Arc<Chunk>) -> Result<Extents, Error> {
    let mut scanner = Scanner::new(chunk.clone());
    let page = scanner.bytes(0, CHUNK_HEADER_BYTES)?;
    let Ok(Some(header)) = ChunkHeader::decode(&page) else {
        return Err(Error::Damaged {
            chunk: chunk.id,
            position: 0,
            what: "its header",
        });
    };
    let mut place = Place::at_begin(chunk.clone(), &header);
    let mut extents = Extents::default();
    loop {
        match scanner.group(&place)? {
            // A payload that does not hold is an error of whoever reads it.
            Found::Whole(group) | Found::Rotten(group) => {
                collect(&mut extents, &place, &group);
                place.pass(&group.header);
            }
            Found::Bad(_) => match scanner.later_group(&place)? {
                Some(later) => place.jump(later.position, later.chain, later.lsn),
                None => return Ok(extents),
            },
        }
    }
}

fn collect(extents: &mut Extents, place: &Place, group: &Group) {
    for (entry, at) in &group.entries {
        let of_log = extents.entry((entry.target, entry.incarnation)).or_default();
        match entry.kind {
            EntryType::Data => of_log.push(Extent {
                base: entry.base_offset,
                next: entry.next_offset,
                chunk: place.chunk.id,
                position: place.position + at,
                bytes: entry.payload_bytes,
                max_timestamp: entry.max_timestamp,
                cover_crc: 0,
            }),
            EntryType::Truncate => cut(of_log, entry.base_offset),
            _ => {}
        }
    }
}

fn cut(extents: &mut Vec<Extent>, end: Offset) {
    extents.retain(|extent| extent.base < end);
    if let Some(last) = extents.last_mut() {
        last.next = last.next.min(end);
    }
}
