//! The controller's thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use metadata::controller::{
    Decision, Registration, abort, bootstrap, in_batches, register_broker, register_controller, unfence,
};
use metadata::quorum::{QuorumState, Voter, leader_change, records_batch, replay_batch};
use metadata::{Delta, Endpoint, MetadataImage};
use os::{Clock, Os};
use protocol::MetadataRecord;
use record::BatchHeader;
use storage::{Append, Log, LogDirectory};
use tokio::sync::oneshot;
use types::LeaderEpoch;

use super::recover::recover;
use super::snapshots::{SnapshotRule, Snapshots};
use crate::Broker;
use crate::node::Node;

/// Proposals that one sync commits at most.
const TOGETHER_MAX: usize = 64;
const CONTROLLER_LISTENER: &str = "CONTROLLER";

/// Decides against an image; the second half is called when the records are committed and published.
type Proposal = Box<dyn FnOnce(&MetadataImage) -> (Vec<MetadataRecord>, Finish) + Send>;

/// Answers; told whether the decision was committed.
type Finish = Box<dyn FnOnce(bool) + Send>;

enum Message {
    Propose(Proposal),
    Stop(Sender<()>),
}

/// How requests reach the controller.
#[derive(Clone)]
pub struct QuorumHandle {
    sender: Sender<Message>,
}

impl QuorumHandle {
    /// Lets `decide` look at the newest image, commits what it decided and gives its response. `None` if the metadata
    /// log cannot be written any more: the caller answers NOT_CONTROLLER.
    pub async fn propose<R: Send + 'static>(
        &self,
        decide: impl FnOnce(&MetadataImage) -> Decision<R> + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        let proposal: Proposal = Box::new(move |image| {
            let Decision { records, response } = decide(image);
            let finish: Finish = Box::new(move |committed| {
                // Whoever asked may be gone; what was decided stands.
                let _ = answer.send(committed.then_some(response));
            });
            (records, finish)
        });
        self.sender.send(Message::Propose(proposal)).ok()?;
        answered.await.ok().flatten()
    }

    /// Ends the controller's thread, after what it is at.
    pub fn stop(&self) {
        let (done, wait) = channel();
        if self.sender.send(Message::Stop(done)).is_ok() {
            // A closed channel means that the thread is gone already.
            let _ = wait.recv();
        }
    }
}

/// The metadata log and the image at its end. Lives on one thread.
pub struct QuorumHost {
    log: Arc<Log>,
    directory: LogDirectory,
    clock: Clock,
    epoch: LeaderEpoch,
    image: MetadataImage,
    /// The newest image of which every record is on stable storage.
    committed: MetadataImage,
    delta: Delta,
    snapshots: Snapshots,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

impl QuorumHost {
    /// Recovers the metadata, and leads a new epoch.
    pub fn open(os: &Os, directory: &LogDirectory, node: &Node) -> Result<QuorumHost, String> {
        let voter = voter(node);
        let found = recover(os, directory, &voter)?;
        let epoch = found
            .epoch
            .checked_add(1)
            .ok_or("the leader epochs are used up")?;
        let state = QuorumState::leading(node.id.0, epoch);
        let path = directory.metadata_folder().join("quorum-state");
        os.disk
            .write_atomically(&path, state.to_json().as_bytes())
            .map_err(|error| error.to_string())?;
        let (sender, receiver) = channel();
        let mut host = QuorumHost {
            log: directory.metadata_log(),
            directory: directory.clone(),
            clock: os.clock.clone(),
            epoch: LeaderEpoch(epoch),
            committed: found.image.clone(),
            image: found.image,
            delta: Delta::default(),
            snapshots: Snapshots::new(os, directory, voter.clone(), found.replayed_bytes),
            sender,
            receiver,
        };
        host.log
            .set_leader_epoch(host.epoch)
            .map_err(|error| error.to_string())?;
        let change = leader_change(node.id.0, &[voter], host.epoch, os.clock.wall_ms());
        host.append(&change.map_err(|error| error.to_string())?)?;
        host.abort_open()?;
        if found.is_new {
            host.append_records(&bootstrap())?;
        }
        Ok(host)
    }

    /// Registers this node as controller and broker of a new incarnation, and makes the epoch's beginning durable.
    pub fn register(&mut self, node: &Node) -> Result<(), String> {
        let endpoint = |advertised: &crate::AdvertisedListener| Endpoint {
            listener: advertised.listener.to_string(),
            host: advertised.host.clone().unwrap_or_else(|| "localhost".to_owned()),
            port: advertised.port,
            security_protocol: 0,
        };
        let controller_endpoint = Endpoint {
            listener: CONTROLLER_LISTENER.to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 1,
            security_protocol: 0,
        };
        let mut registration = Registration {
            id: node.id,
            incarnation_id: self.directory.os().random.uuid(),
            endpoints: vec![controller_endpoint],
            rack: node.rack.clone(),
            directory_id: node.directory_id,
        };
        self.append_records(&[register_controller(&registration)])?;
        registration.endpoints = node.advertised.iter().map(endpoint).collect();
        let at = self.log.assigned_end();
        self.append_records(&[register_broker(&registration, at), unfence(node.id, at)])?;
        self.sync()?;
        self.committed = self.image.clone();
        Ok(())
    }

    pub fn image(&self) -> MetadataImage {
        self.committed.committed().clone()
    }

    pub fn handle(&self) -> QuorumHandle {
        QuorumHandle {
            sender: self.sender.clone(),
        }
    }

    /// Runs the controller on a thread of its own, for as long as the broker lives.
    pub fn run(self, broker: &Arc<Broker>) -> std::io::Result<()> {
        let broker = Arc::downgrade(broker);
        os::thread::spawn_named("ottla-controller", move || self.serve(&broker))?;
        Ok(())
    }

    fn serve(mut self, broker: &Weak<Broker>) {
        while let Ok(first) = self.receiver.recv() {
            let mut answers = Vec::new();
            let mut stopping = None;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Propose(proposal) => answers.push(self.decide(proposal)),
                    Message::Stop(done) => stopping = Some(done),
                }
                if stopping.is_none() && answers.len() < TOGETHER_MAX {
                    next = self.receiver.try_recv().ok();
                }
            }
            self.commit(broker, answers);
            if let Some(done) = stopping {
                // The one who waits may have given up.
                let _ = done.send(());
                return;
            }
        }
    }

    fn decide(&mut self, proposal: Proposal) -> (bool, Finish) {
        let (records, finish) = proposal(self.image.committed());
        let appended = records.is_empty() || self.append_decision(records).is_ok();
        (appended, finish)
    }

    /// Waits for the disk, publishes the image and answers.
    fn commit(&mut self, broker: &Weak<Broker>, answers: Vec<(bool, Finish)>) {
        let committed = self.sync().inspect_err(|error| {
            tracing::error!(
                %error,
                action = "replace the disk of log.dirs, or make room on it, then restart this node",
                "metadata cannot be committed"
            );
        });
        let delta = std::mem::take(&mut self.delta);
        match committed {
            Ok(()) => self.committed = self.image.clone(),
            // Nothing is written any more: what was not committed never happened.
            Err(_) => self.image = self.committed.clone(),
        }
        if committed.is_ok()
            && let Some(broker) = broker.upgrade()
        {
            broker.publish(self.image.committed().clone(), &delta);
            let settings = broker.settings();
            let rule = SnapshotRule {
                bytes: settings.metadata_snapshot_bytes,
                interval: Duration::from_millis(settings.metadata_snapshot_interval_ms),
            };
            self.snapshots.after_commit(&rule, &self.image, self.epoch);
        }
        for (appended, finish) in answers {
            finish(appended && committed.is_ok());
        }
    }

    /// All records of a decision. What fails in the middle of it never counts.
    fn append_decision(&mut self, records: Vec<MetadataRecord>) -> Result<(), String> {
        self.abort_open()?;
        for batch in in_batches(records) {
            self.append_records(&batch)?;
        }
        Ok(())
    }

    /// A transaction that nobody will end: its leader died, or the log took only a part of it.
    fn abort_open(&mut self) -> Result<(), String> {
        if self.image.in_transaction() {
            self.append_records(&[abort("its end was never written")])?;
        }
        Ok(())
    }

    fn append_records(&mut self, records: &[MetadataRecord]) -> Result<(), String> {
        let batch = records_batch(records, self.epoch, self.clock.wall_ms())?;
        self.append(&batch)
    }

    /// Queues a batch and applies it to the image that later decisions see.
    fn append(&mut self, batch: &Bytes) -> Result<(), String> {
        let header = BatchHeader::parse(batch).map_err(|error| error.to_string())?;
        let append = Append {
            batch,
            header: &header,
            leader_epoch: self.epoch,
            marker: None,
        };
        let appended = match self.log.append(&append) {
            Err(storage::AppendError::Busy) => {
                self.directory.make_room();
                self.log.append(&append)
            }
            other => other,
        };
        let appended = appended.map_err(|error| error.to_string())?;
        let header = BatchHeader {
            base_offset: appended.base_offset,
            ..header
        };
        self.snapshots.appended(batch);
        replay_batch(&mut self.image, &header, batch, &mut self.delta)
    }

    /// Blocks until everything appended is on stable storage.
    fn sync(&self) -> Result<(), String> {
        let end = self.log.assigned_end();
        self.directory.kick_metadata();
        self.directory
            .wait_for_metadata(end)
            .map_err(|error| error.to_string())
    }
}

fn voter(node: &Node) -> Voter {
    Voter {
        id: node.id.0,
        directory_id: node.directory_id,
        listener: CONTROLLER_LISTENER.to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 1,
    }
}
