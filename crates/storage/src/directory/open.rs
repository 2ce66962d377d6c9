//! Opening a log directory: lock, identity, recovery, threads.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use os::{FileSystem, OpenOptions, Os};
use parking_lot::Mutex;
use types::{PartitionIndex, TopicIdPartition, Uuid};

use super::checkpoint::{CLEAN_STOP, Checkpointer, FOLDER as CHECKPOINT_FOLDER, State};
use super::shared::FENCED_MARKER;
use super::{Directory, LogDirectory, METADATA_FOLDER, METADATA_STREAM, Shared, meta};
use crate::format::checkpoint::Checkpoint;
use crate::log::Inner;
use crate::recovery::{self, Recovered, RecoveryReport};
use crate::scrub::Scrubber;
use crate::stream::Stream;
use crate::{Error, FlushPolicy, Identity, Log, Observer, Options};

impl LogDirectory {
    /// Opens a directory, recovers what is in it and makes all of it durable before anything counts as such.
    pub fn open(
        os: &Os,
        path: &Path,
        identity: &Identity,
        options: Options,
        observer: Arc<dyn Observer>,
    ) -> Result<(LogDirectory, RecoveryReport), Error> {
        let failed = |error| Error::io(path, error);
        for folder in ["chunks", "pool", CHECKPOINT_FOLDER, METADATA_FOLDER] {
            os.disk.create_directories(&path.join(folder)).map_err(failed)?;
        }
        let lock = os.disk.lock(path).map_err(failed)?.ok_or_else(|| Error::Locked {
            path: path.to_owned(),
        })?;
        let meta = meta::read_or_create(os, path, identity)?;
        let shared = Shared::new(os, path.to_owned(), observer);
        empty_pool(os, &shared.pool()).map_err(failed)?;
        let was_fenced = os.disk.exists(&path.join(FENCED_MARKER));
        let [stream, metadata] = streams(os, path, meta.directory_id, &options, &shared);
        let mut report = RecoveryReport::default();
        let mut loaded = recovery::load(os, path, meta.directory_id, &mut report)?;
        report.clean = loaded.clean;
        forget_clean_stop(os, path)?;
        let mut recover = |stream: &Arc<Stream>| {
            let from = loaded.of_stream(stream.id, was_fenced, &mut report);
            recovery::recover(stream, from, &mut report)
        };
        let (mut recovered, mut recovered_metadata) = (recover(&stream)?, recover(&metadata)?);
        see_numbers(&shared, &loaded.checkpoint, [&recovered, &recovered_metadata]);
        let sync_time = measure_sync(os, path).map_err(failed)?;
        begin(&stream, &mut recovered, &shared)?;
        let metadata_log = metadata_log(&metadata, &mut recovered_metadata)?;
        if was_fenced {
            os.disk.remove_file(&path.join(FENCED_MARKER)).map_err(failed)?;
        }
        let file_system = file_system(os, path).map_err(failed)?;
        let checkpointer = Arc::new(Checkpointer {
            os: os.clone(),
            path: path.to_owned(),
            directory_id: meta.directory_id,
            options: options.clone(),
            shared: shared.clone(),
            streams: [stream.clone(), metadata.clone()],
            metadata_log: metadata_log.clone(),
            state: Mutex::new(State::after(loaded.seq, &loaded.checkpoint)),
            copy_on_write: file_system.copy_on_write,
        });
        shared.checkpoint_after(options.checkpoint_every_bytes);
        if options.checkpoint_every_bytes <= report.bytes {
            shared.want_checkpoint();
        }
        let cleaner = crate::clean::Cleaner {
            stream: stream.clone(),
            checkpointer: checkpointer.clone(),
            alone: Mutex::default(),
        };
        let directory = LogDirectory {
            inner: Arc::new(Directory {
                cleaner,
                checkpointer,
                os: os.clone(),
                path: path.to_owned(),
                cluster_id: meta.cluster_id,
                directory_id: meta.directory_id,
                options,
                shared,
                stream,
                metadata,
                metadata_log,
                sync_time,
                file_system,
                newest_wall_ms: report.newest_wall_ms,
                creating: Mutex::default(),
                threads: Mutex::default(),
                _lock: lock,
            }),
        };
        directory.start_threads().map_err(failed)?;
        Ok((directory, report))
    }

    fn start_threads(&self) -> std::io::Result<()> {
        if !self.inner.options.threads {
            return Ok(());
        }
        let mut threads = self.inner.threads.lock();
        for stream in [&self.inner.stream, &self.inner.metadata] {
            let writer = stream.clone();
            threads.push(os::thread::spawn_named(
                &format!("ottla-write-{}", stream.id),
                move || writer.run_writer(),
            )?);
            let sync = stream.clone();
            threads.push(os::thread::spawn_named(
                &format!("ottla-sync-{}", stream.id),
                move || sync.run_sync(),
            )?);
        }
        let checkpointer = self.inner.checkpointer.clone();
        threads.push(os::thread::spawn_named("ottla-checkpoint", move || {
            checkpointer.run_thread()
        })?);
        let scrubber = Scrubber::of(&self.inner);
        threads.push(os::thread::spawn_named("ottla-scrub", move || {
            scrubber.run_thread()
        })?);
        Ok(())
    }
}

/// The streams of records and of metadata.
fn streams(
    os: &Os,
    path: &Path,
    directory_id: Uuid,
    options: &Options,
    shared: &Arc<Shared>,
) -> [Arc<Stream>; 2] {
    // Metadata is synced before it is answered, under every policy.
    let metadata = Options {
        flush: FlushPolicy::Ack,
        chunk_bytes_min: 1 << 20,
        ..options.clone()
    };
    [
        Stream::new(0, os, path.join("chunks"), directory_id, options, shared),
        Stream::new(
            METADATA_STREAM,
            os,
            path.join(METADATA_FOLDER),
            directory_id,
            &metadata,
            shared,
        ),
    ]
}

/// Numbers that were given out are not given out again.
fn see_numbers(shared: &Shared, checkpoint: &Checkpoint, recovered: [&Recovered; 2]) {
    shared.saw_chunk(checkpoint.next_chunk.saturating_sub(1));
    shared.saw_incarnation(checkpoint.next_incarnation.saturating_sub(1));
    for recovered in recovered {
        shared.saw_chunk(recovered.last_chunk_id);
        shared.saw_incarnation(recovered.last_incarnation);
    }
}

/// From now on this is a running directory: whatever ends it, the clean stop before it says nothing of it.
fn forget_clean_stop(os: &Os, path: &Path) -> Result<(), Error> {
    let marker = path.join(CLEAN_STOP);
    if os.disk.exists(&marker) {
        os.disk
            .remove_file(&marker)
            .map_err(|error| Error::io(&marker, error))?;
        os.disk
            .sync_directory(path)
            .map_err(|error| Error::io(path, error))?;
    }
    Ok(())
}

fn begin(stream: &Arc<Stream>, recovered: &mut Recovered, shared: &Arc<Shared>) -> Result<(), Error> {
    for (target, building) in recovered.logs.drain() {
        let log = Log::new(
            target,
            building.topic_name,
            building.incarnation,
            stream.clone(),
            building.inner,
        );
        if building.damaged {
            log.take_offline();
        }
        log.count_live();
        shared.insert(log);
    }
    stream.begin(recovered.place.take(), &shared.logs())
}

/// The metadata log is there from the beginning, and is the only one in its stream.
fn metadata_log(stream: &Arc<Stream>, recovered: &mut Recovered) -> Result<Arc<Log>, Error> {
    let target = TopicIdPartition {
        topic_id: Uuid::METADATA_TOPIC,
        partition: PartitionIndex(0),
    };
    let known = recovered.logs.remove(&target);
    let damaged = known.as_ref().is_some_and(|building| building.damaged);
    let inner = known.map_or_else(Inner::default, |building| building.inner);
    let log = Log::new(target, "__cluster_metadata".to_owned(), 1, stream.clone(), inner);
    if damaged {
        log.take_offline();
    }
    log.count_live();
    stream.begin(recovered.place.take(), std::slice::from_ref(&log))?;
    Ok(log)
}

/// Spares and reserves of the last process: nothing in them counts, and their room may be needed.
fn empty_pool(os: &Os, pool: &Path) -> std::io::Result<()> {
    let spares = os.disk.list(pool)?;
    spares.iter().try_for_each(|spare| os.disk.remove_file(spare))
}

fn file_system(os: &Os, path: &Path) -> std::io::Result<FileSystem> {
    let found = os.disk.file_system(path)?;
    if found.copy_on_write {
        let (path, kind) = (path.display(), found.name);
        tracing::warn!(%path, kind, "this file system writes elsewhere what is written over: chunks are not used again, and syncs cost more");
    }
    Ok(found)
}

/// One page, written and synced: what every acknowledgement under `flush=ack` has to wait for at least.
fn measure_sync(os: &Os, path: &Path) -> std::io::Result<Duration> {
    let probe = path.join("pool").join("sync.probe");
    let file = os.disk.open(
        &probe,
        OpenOptions {
            create: true,
            truncate: true,
        },
    )?;
    file.write_all_at(&mut [IoSlice::new(&[0; 4096])], 0)?;
    let before = os.clock.elapsed();
    file.sync_data()?;
    let took = os.clock.elapsed() - before;
    os.disk.remove_file(&probe)?;
    Ok(took)
}
