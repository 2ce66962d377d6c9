//! From places as people say them to offsets.

use client::{Admin, Isolation, Offset, OffsetSpec, Result, TopicPartition};

use crate::when::Place;

/// The offset of a place in each partition, kept within what is there.
pub(crate) async fn resolve(
    admin: &Admin,
    partitions: &[TopicPartition],
    place: Place,
) -> Result<Vec<(TopicPartition, Offset)>> {
    let found = match place {
        Place::Earliest => return lookup(admin, partitions, OffsetSpec::Earliest).await,
        Place::Latest => return lookup(admin, partitions, OffsetSpec::Latest).await,
        Place::Time(ms) => return lookup(admin, partitions, OffsetSpec::At(ms)).await,
        Place::Offset(offset) => partitions
            .iter()
            .map(|name| (name.clone(), Offset(offset)))
            .collect(),
        Place::BeforeEnd(count) => {
            let ends = lookup(admin, partitions, OffsetSpec::Latest).await?;
            ends.into_iter()
                .map(|(name, end)| (name, Offset(end.0.saturating_sub(count))))
                .collect()
        }
    };
    within(admin, found).await
}

/// Offsets moved to the first or the next one where they lie outside the log.
pub(crate) async fn within(
    admin: &Admin,
    found: Vec<(TopicPartition, Offset)>,
) -> Result<Vec<(TopicPartition, Offset)>> {
    let names: Vec<TopicPartition> = found.iter().map(|(name, _)| name.clone()).collect();
    let starts = lookup(admin, &names, OffsetSpec::Earliest).await?;
    let ends = lookup(admin, &names, OffsetSpec::Latest).await?;
    let mut clamped = Vec::with_capacity(found.len());
    for ((name, offset), ((_, start), (_, end))) in found.into_iter().zip(starts.iter().zip(&ends)) {
        clamped.push((name, offset.min(*end).max(*start)));
    }
    Ok(clamped)
}

/// One lookup for all; a time after the last record stands for the end.
pub(crate) async fn lookup(
    admin: &Admin,
    partitions: &[TopicPartition],
    spec: OffsetSpec,
) -> Result<Vec<(TopicPartition, Offset)>> {
    let wanted: Vec<_> = partitions.iter().map(|name| (name.clone(), spec)).collect();
    let mut offsets = Vec::with_capacity(wanted.len());
    let mut late = Vec::new();
    for (name, found) in admin.list_offsets(&wanted, Isolation::ReadUncommitted).await? {
        match found?.offset {
            Some(offset) => offsets.push((name, offset)),
            None => late.push(name),
        }
    }
    if !late.is_empty() && spec != OffsetSpec::Latest {
        offsets.extend(Box::pin(lookup(admin, &late, OffsetSpec::Latest)).await?);
        // As they were asked for.
        let place = |name: &TopicPartition| partitions.iter().position(|asked| asked == name);
        offsets.sort_by_key(|(name, _)| place(name));
    }
    Ok(offsets)
}
