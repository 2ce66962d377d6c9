//! The footer of a sealed chunk in lines.

use super::Line;
use crate::format::footer::{Footer, FooterState, TRAILER_BYTES, Trailer};
use crate::state::PartitionState;

/// Says nothing of a chunk that is not sealed.
pub(super) fn lines(bytes: &[u8], life: u64, give: &mut dyn FnMut(&Line)) {
    let Some((_, trailer)) = bytes
        .len()
        .checked_sub(TRAILER_BYTES)
        .and_then(|at| bytes.split_at_checked(at))
    else {
        return;
    };
    let Some(trailer) = Trailer::decode(life, trailer) else {
        return;
    };
    let position = usize::try_from(trailer.position).unwrap_or(usize::MAX);
    let length = usize::try_from(trailer.bytes).unwrap_or(usize::MAX);
    let blocks = bytes
        .get(position..)
        .and_then(|rest| rest.get(..length))
        .unwrap_or_default();
    let footer = match Footer::decode(life, blocks) {
        Ok(footer) => footer,
        Err(error) => return give(&Line::new(position, 0, "broken_footer").text("reason", error)),
    };
    let line = Line::new(position, 0, "footer").number("bytes", trailer.bytes);
    give(
        &line
            .number("runs", footer.runs.len() as u64)
            .number("states", footer.states.len() as u64),
    );
    for run in &footer.runs {
        let line = Line::new(position, 1, "run")
            .text("partition", run.target)
            .number("incarnation", run.incarnation)
            .number("base_offset", run.base.0)
            .number("next_offset", run.next.0)
            .number("bytes", run.bytes)
            .number("batches", run.batches)
            .number("max_timestamp", run.max_timestamp)
            .number("max_wall_ms", run.max_wall_ms)
            .number("first_lsn", run.first_lsn.0)
            .number("last_lsn", run.last_lsn.0);
        give(&line);
        for extent in &run.extents {
            let line = Line::new(position, 2, "extent")
                .number(
                    "base_offset",
                    run.base.0.saturating_add(i64::from(extent.offset_delta)),
                )
                .number("at", extent.position)
                .number("bytes", extent.bytes)
                .number(
                    "max_timestamp",
                    run.max_timestamp.saturating_sub(i64::from(extent.ts_delta)),
                );
            give(&line);
        }
    }
    footer
        .states
        .iter()
        .for_each(|state| state_lines(position, state, give));
}

fn state_lines(position: usize, row: &FooterState, give: &mut dyn FnMut(&Line)) {
    let line = Line::new(position, 1, "state")
        .text("partition", row.target)
        .number("incarnation", row.incarnation)
        .number("log_end", row.log_end.0);
    let state = match PartitionState::decode(&row.state) {
        Ok(state) => state,
        Err(error) => return give(&line.text("broken", error)),
    };
    let line = line
        .number("log_start", state.log_start.0)
        .number("high_watermark", state.high_watermark.0)
        .number(
            "first_unstable",
            state.first_unstable().map_or(-1, |offset| offset.0),
        )
        .number("segments", state.segments.list().len().max(1) as u64);
    give(&line);
    for (epoch, start) in state.epochs.entries() {
        give(
            &Line::new(position, 2, "leader_epoch")
                .number("epoch", epoch.0)
                .number("base_offset", start.0),
        );
    }
    for (producer, first, marker) in &state.aborted {
        let line = Line::new(position, 2, "aborted").number("producer_id", producer.0);
        give(
            &line
                .number("first_offset", first.0)
                .number("marker_offset", marker.0),
        );
    }
    let mut producers: Vec<_> = state.producers.iter().collect();
    producers.sort_by_key(|(id, _)| *id);
    for (id, producer) in producers {
        let line = Line::new(position, 2, "producer")
            .number("producer_id", id.0)
            .number("producer_epoch", producer.epoch.0)
            .number("coordinator_epoch", producer.coordinator_epoch)
            .number("open_since", producer.open_since.map_or(-1, |open| open.0))
            .number(
                "last_sequence",
                producer.batches.back().map_or(-1, |last| last.last_sequence),
            )
            .number("batches", producer.batches.len() as u64)
            .number("last_timestamp", producer.last_timestamp);
        give(&line);
    }
}
