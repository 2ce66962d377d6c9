//! A broker's end of a connection: one request after the other, answered in order.

use std::time::Duration;

use bytes::Bytes;
use client::protocol::header::{RequestHeader, encode_response_header};
use client::protocol::messages::api_versions_response::{ApiVersion, ApiVersionsResponse};
use client::protocol::messages::fetch_request::FetchRequest;
use client::protocol::messages::fetch_response::{
    self, FetchResponse, FetchableTopicResponse, PartitionData,
};
use client::protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use client::protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};
use client::protocol::messages::heartbeat_request::HeartbeatRequest;
use client::protocol::messages::heartbeat_response::HeartbeatResponse;
use client::protocol::messages::init_producer_id_response::InitProducerIdResponse;
use client::protocol::messages::join_group_request::JoinGroupRequest;
use client::protocol::messages::join_group_response::{JoinGroupResponse, JoinGroupResponseMember};
use client::protocol::messages::leave_group_request::LeaveGroupRequest;
use client::protocol::messages::leave_group_response::LeaveGroupResponse;
use client::protocol::messages::list_offsets_request::ListOffsetsRequest;
use client::protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use client::protocol::messages::metadata_response::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use client::protocol::messages::offset_commit_request::OffsetCommitRequest;
use client::protocol::messages::offset_commit_response::{
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use client::protocol::messages::offset_fetch_request::OffsetFetchRequest;
use client::protocol::messages::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use client::protocol::messages::produce_request::ProduceRequest;
use client::protocol::messages::produce_response::{
    LeaderIdAndEpoch, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use client::protocol::messages::sync_group_request::SyncGroupRequest;
use client::protocol::messages::sync_group_response::SyncGroupResponse;
use client::protocol::{ApiKey, Budget, Decode, Encode, Reader, Segments};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use types::ErrorCode;

use super::group::{Member, Phase};
use super::{Appended, BROKERS, Cluster, TOPIC, TOPIC_ID};

/// The one version of each key.
const SERVED: &[(ApiKey, i16)] = &[
    (ApiKey::Produce, 12),
    (ApiKey::Fetch, 16),
    (ApiKey::ListOffsets, 8),
    (ApiKey::Metadata, 12),
    (ApiKey::OffsetCommit, 8),
    (ApiKey::OffsetFetch, 8),
    (ApiKey::FindCoordinator, 4),
    (ApiKey::JoinGroup, 7),
    (ApiKey::Heartbeat, 4),
    (ApiKey::LeaveGroup, 4),
    (ApiKey::SyncGroup, 5),
    (ApiKey::ApiVersions, 3),
    (ApiKey::InitProducerId, 4),
];

/// Serves until the other end is gone, or asks for what is not served.
pub async fn serve(cluster: Cluster, broker: i32, mut stream: DuplexStream) {
    loop {
        let Ok(size) = stream.read_u32().await else { return };
        let mut frame = vec![0; size as usize];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let Some(answer) = answer(&cluster, broker, frame.into()).await else {
            return;
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

fn read<T: Decode>(frame: &Bytes, at: usize, version: i16) -> T {
    let mut reader = Reader::new(frame.slice(at..));
    T::decode(&mut reader, version, &mut Budget::new(64 << 20)).expect("the client writes what can be read")
}

fn write(key: ApiKey, version: i16, id: i32, body: &impl Encode) -> Vec<u8> {
    let mut sink = Segments::frame();
    encode_response_header(key, version, id, &mut sink);
    body.encode(version, &mut sink).expect("the version can say it");
    sink.finish_frame().expect("small").concat()
}

async fn answer(cluster: &Cluster, broker: i32, frame: Bytes) -> Option<Vec<u8>> {
    let (header, at) = RequestHeader::decode_frame(&frame).expect("the client writes headers");
    let key = ApiKey::from_code(header.api_key)?;
    let served = SERVED.iter().find(|(one, _)| *one == key)?.1;
    let (version, id) = (header.api_version, header.correlation_id);
    if key == ApiKey::ApiVersions && version != served {
        let refusal = ApiVersionsResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            ..versions()
        };
        return Some(write(key, 0, id, &refusal));
    }
    if version != served {
        return None;
    }
    let answer = match key {
        ApiKey::ApiVersions => write(key, version, id, &versions()),
        ApiKey::Metadata => write(key, version, id, &metadata(cluster)),
        ApiKey::InitProducerId => {
            let mut state = cluster.0.lock();
            state.producer_ids += 1;
            let producer_id = state.producer_ids;
            write(
                key,
                version,
                id,
                &InitProducerIdResponse {
                    producer_id,
                    ..InitProducerIdResponse::default()
                },
            )
        }
        ApiKey::Produce => write(
            key,
            version,
            id,
            &produce(cluster, broker, &read(&frame, at, version)),
        ),
        ApiKey::Fetch => write(
            key,
            version,
            id,
            &fetch(cluster, broker, &read(&frame, at, version)).await,
        ),
        ApiKey::ListOffsets => write(
            key,
            version,
            id,
            &list_offsets(cluster, &read(&frame, at, version)),
        ),
        ApiKey::FindCoordinator => {
            let request: FindCoordinatorRequest = read(&frame, at, version);
            write(key, version, id, &find_coordinator(&request))
        }
        ApiKey::JoinGroup => write(key, version, id, &join(cluster, &read(&frame, at, version)).await),
        ApiKey::SyncGroup => write(key, version, id, &sync(cluster, &read(&frame, at, version)).await),
        ApiKey::Heartbeat => write(key, version, id, &heartbeat(cluster, &read(&frame, at, version))),
        ApiKey::LeaveGroup => write(key, version, id, &leave(cluster, &read(&frame, at, version))),
        ApiKey::OffsetCommit => write(key, version, id, &commit(cluster, &read(&frame, at, version))),
        ApiKey::OffsetFetch => write(key, version, id, &committed(cluster, &read(&frame, at, version))),
        _ => return None,
    };
    Some(answer)
}

fn versions() -> ApiVersionsResponse {
    let row = |(key, version): &(ApiKey, i16)| ApiVersion {
        api_key: key.code(),
        min_version: *version,
        max_version: *version,
        ..ApiVersion::default()
    };
    ApiVersionsResponse {
        api_keys: SERVED.iter().map(row).collect(),
        ..ApiVersionsResponse::default()
    }
}

fn metadata(cluster: &Cluster) -> MetadataResponse {
    let state = cluster.0.lock();
    let brokers = (0..BROKERS).map(|node_id| MetadataResponseBroker {
        node_id,
        host: format!("b{node_id}").into(),
        port: 1,
        ..MetadataResponseBroker::default()
    });
    let partitions = (0..)
        .zip(&state.partitions)
        .map(|(partition_index, log)| MetadataResponsePartition {
            partition_index,
            leader_id: log.leader,
            leader_epoch: log.epoch,
            ..MetadataResponsePartition::default()
        });
    MetadataResponse {
        brokers: brokers.collect(),
        controller_id: 0,
        topics: vec![MetadataResponseTopic {
            name: Some(TOPIC.into()),
            topic_id: TOPIC_ID,
            partitions: partitions.collect(),
            ..MetadataResponseTopic::default()
        }],
        ..MetadataResponse::default()
    }
}

fn produce(cluster: &Cluster, broker: i32, request: &ProduceRequest) -> ProduceResponse {
    let mut state = cluster.0.lock();
    let partitions = request
        .topic_data
        .iter()
        .flat_map(|topic| &topic.partition_data)
        .map(|data| {
            let mut answer = PartitionProduceResponse {
                index: data.index,
                base_offset: -1,
                ..PartitionProduceResponse::default()
            };
            let log = &mut state.partitions[data.index as usize];
            if log.leader != broker {
                answer.error_code = ErrorCode::NotLeaderOrFollower.code();
                answer.current_leader = LeaderIdAndEpoch {
                    leader_id: log.leader,
                    leader_epoch: log.epoch,
                    ..LeaderIdAndEpoch::default()
                };
                return answer;
            }
            match log.append(&data.records.clone().unwrap_or_default().to_bytes()) {
                Appended::At(base) => answer.base_offset = base,
                Appended::Refused(code) => answer.error_code = code.code(),
            }
            answer
        });
    ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: TOPIC.into(),
            partition_responses: partitions.collect(),
            ..TopicProduceResponse::default()
        }],
        ..ProduceResponse::default()
    }
}

async fn fetch(cluster: &Cluster, broker: i32, request: &FetchRequest) -> FetchResponse {
    let until = Instant::now() + Duration::from_millis(request.max_wait_ms.max(0) as u64);
    loop {
        let (answer, any) = fetch_now(cluster, broker, request);
        if any || until <= Instant::now() {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn fetch_now(cluster: &Cluster, broker: i32, request: &FetchRequest) -> (FetchResponse, bool) {
    let state = cluster.0.lock();
    let mut any = false;
    let wanted = request.topics.iter().flat_map(|topic| &topic.partitions);
    let partitions = wanted.map(|one| {
        let log = &state.partitions[one.partition as usize];
        let mut data = PartitionData {
            partition_index: one.partition,
            high_watermark: log.end,
            last_stable_offset: log.end,
            records: Some(Bytes::new().into()),
            ..PartitionData::default()
        };
        if log.leader != broker {
            data.error_code = ErrorCode::NotLeaderOrFollower.code();
            data.current_leader = fetch_response::LeaderIdAndEpoch {
                leader_id: log.leader,
                leader_epoch: log.epoch,
                ..fetch_response::LeaderIdAndEpoch::default()
            };
        } else if log.end < one.fetch_offset || one.fetch_offset < 0 {
            data.error_code = ErrorCode::OffsetOutOfRange.code();
        } else {
            data.records = Some(Bytes::from(log.read(one.fetch_offset)).into());
        }
        any |= data.error_code != 0 || data.records.as_ref().is_some_and(|records| !records.is_empty());
        data
    });
    // No sessions: every fetch is whole.
    let answer = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic_id: TOPIC_ID,
            partitions: partitions.collect(),
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    };
    (answer, any)
}

fn list_offsets(cluster: &Cluster, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let state = cluster.0.lock();
    let wanted = request.topics.iter().flat_map(|topic| &topic.partitions);
    let partitions = wanted.map(|one| ListOffsetsPartitionResponse {
        partition_index: one.partition_index,
        offset: if one.timestamp == -2 {
            0
        } else {
            state.partitions[one.partition_index as usize].end
        },
        ..ListOffsetsPartitionResponse::default()
    });
    ListOffsetsResponse {
        topics: vec![ListOffsetsTopicResponse {
            name: TOPIC.into(),
            partitions: partitions.collect(),
            ..ListOffsetsTopicResponse::default()
        }],
        ..ListOffsetsResponse::default()
    }
}

fn find_coordinator(request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    let each = request.coordinator_keys.iter().map(|key| Coordinator {
        key: key.clone(),
        node_id: 1,
        host: "b1".into(),
        port: 1,
        ..Coordinator::default()
    });
    FindCoordinatorResponse {
        coordinators: each.collect(),
        ..FindCoordinatorResponse::default()
    }
}

async fn join(cluster: &Cluster, request: &JoinGroupRequest) -> JoinGroupResponse {
    let refused = |code: ErrorCode, member: &str| JoinGroupResponse {
        error_code: code.code(),
        generation_id: -1,
        member_id: member.into(),
        protocol_name: Some("".into()),
        ..JoinGroupResponse::default()
    };
    let name = request.group_id.as_str().to_owned();
    let member = request.member_id.as_str().to_owned();
    {
        let mut state = cluster.0.lock();
        state.member_ids += 1;
        let fresh = format!("m-{}", state.member_ids);
        let group = state.groups.entry(name.clone()).or_default();
        let now = Instant::now();
        group.tick(now);
        if member.is_empty() {
            group.pending.push(fresh.clone());
            return refused(ErrorCode::MemberIdRequired, &fresh);
        }
        let known = group.members.contains_key(&member) || group.pending.contains(&member);
        if !known {
            return refused(ErrorCode::UnknownMemberId, "");
        }
        group.pending.retain(|one| *one != member);
        group.prepare(now);
        let protocols = request.protocols.iter();
        let joined = Member {
            protocols: protocols
                .map(|one| (one.name.as_str().to_owned(), one.metadata.clone()))
                .collect(),
            joined: true,
            seen: Some(now),
            session: Duration::from_millis(request.session_timeout_ms as u64),
            assignment: Bytes::new(),
        };
        group.members.insert(member.clone(), joined);
    }
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut state = cluster.0.lock();
        let Some(group) = state.groups.get_mut(&name) else {
            return refused(ErrorCode::UnknownMemberId, "");
        };
        group.tick(Instant::now());
        if !group.members.contains_key(&member) {
            return refused(ErrorCode::UnknownMemberId, "");
        }
        if !matches!(group.phase, Phase::Preparing(_)) {
            let leader = group.leader();
            let chosen = group.protocol.clone();
            let each = group
                .members
                .iter()
                .filter(|_| leader == member)
                .map(|(id, one)| JoinGroupResponseMember {
                    member_id: id.as_str().into(),
                    metadata: one
                        .protocols
                        .iter()
                        .find(|(name, _)| *name == chosen)
                        .map_or(Bytes::new(), |one| one.1.clone()),
                    ..JoinGroupResponseMember::default()
                });
            return JoinGroupResponse {
                generation_id: group.generation,
                protocol_type: Some("consumer".into()),
                protocol_name: Some(chosen.as_str().into()),
                leader: leader.as_str().into(),
                member_id: member.as_str().into(),
                members: each.collect(),
                ..JoinGroupResponse::default()
            };
        }
    }
}

/// Why a member of a generation may not do what it wants.
fn refusal(group: Option<&super::Group>, member: &str, generation: i32) -> Option<ErrorCode> {
    let Some(group) = group.filter(|group| group.members.contains_key(member)) else {
        return Some(ErrorCode::UnknownMemberId);
    };
    (group.generation != generation).then_some(ErrorCode::IllegalGeneration)
}

async fn sync(cluster: &Cluster, request: &SyncGroupRequest) -> SyncGroupResponse {
    let refused = |code: ErrorCode| SyncGroupResponse {
        error_code: code.code(),
        ..SyncGroupResponse::default()
    };
    let (name, member) = (request.group_id.as_str(), request.member_id.as_str());
    loop {
        {
            let mut state = cluster.0.lock();
            if let Some(group) = state.groups.get_mut(name) {
                group.tick(Instant::now());
            }
            if let Some(code) = refusal(state.groups.get(name), member, request.generation_id) {
                return refused(code);
            }
            let group = state.groups.get_mut(name).expect("just seen");
            group.heard(member, Instant::now());
            match group.phase {
                Phase::Preparing(_) => return refused(ErrorCode::RebalanceInProgress),
                Phase::Completing if group.leader() == member => {
                    for one in &request.assignments {
                        if let Some(member) = group.members.get_mut(one.member_id.as_str()) {
                            member.assignment = one.assignment.clone();
                        }
                    }
                    group.phase = Phase::Stable;
                }
                _ => {}
            }
            if group.phase == Phase::Stable {
                return SyncGroupResponse {
                    protocol_type: Some("consumer".into()),
                    protocol_name: Some(group.protocol.as_str().into()),
                    assignment: group.members[member].assignment.clone(),
                    ..SyncGroupResponse::default()
                };
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn heartbeat(cluster: &Cluster, request: &HeartbeatRequest) -> HeartbeatResponse {
    let mut state = cluster.0.lock();
    let (name, member) = (request.group_id.as_str(), request.member_id.as_str());
    if let Some(group) = state.groups.get_mut(name) {
        group.tick(Instant::now());
        group.heard(member, Instant::now());
    }
    let code = refusal(state.groups.get(name), member, request.generation_id);
    let preparing = state
        .groups
        .get(name)
        .is_some_and(|group| matches!(group.phase, Phase::Preparing(_)));
    let code = code.or(preparing.then_some(ErrorCode::RebalanceInProgress));
    HeartbeatResponse {
        error_code: code.map_or(0, ErrorCode::code),
        ..HeartbeatResponse::default()
    }
}

fn leave(cluster: &Cluster, request: &LeaveGroupRequest) -> LeaveGroupResponse {
    let mut state = cluster.0.lock();
    if let Some(group) = state.groups.get_mut(request.group_id.as_str()) {
        for one in &request.members {
            if group.members.remove(one.member_id.as_str()).is_some() {
                group.prepare(Instant::now());
            }
        }
        group.tick(Instant::now());
    }
    LeaveGroupResponse::default()
}

fn commit(cluster: &Cluster, request: &OffsetCommitRequest) -> OffsetCommitResponse {
    let mut state = cluster.0.lock();
    let (name, member) = (request.group_id.as_str(), request.member_id.as_str());
    let generation = request.generation_id_or_member_epoch;
    let code = refusal(state.groups.get(name), member, generation).or_else(|| {
        let completing = state
            .groups
            .get(name)
            .is_some_and(|group| group.phase == Phase::Completing);
        completing.then_some(ErrorCode::RebalanceInProgress)
    });
    let mut partitions = Vec::new();
    for one in request.topics.iter().flat_map(|topic| &topic.partitions) {
        if code.is_none() {
            let entry = (
                generation,
                member.to_owned(),
                one.partition_index,
                one.committed_offset,
            );
            state.commits.push(entry);
            if let Some(group) = state.groups.get_mut(name) {
                group.offsets.insert(one.partition_index, one.committed_offset);
                group.heard(member, Instant::now());
            }
        }
        partitions.push(OffsetCommitResponsePartition {
            partition_index: one.partition_index,
            error_code: code.map_or(0, ErrorCode::code),
            ..OffsetCommitResponsePartition::default()
        });
    }
    OffsetCommitResponse {
        topics: vec![OffsetCommitResponseTopic {
            name: TOPIC.into(),
            partitions,
            ..OffsetCommitResponseTopic::default()
        }],
        ..OffsetCommitResponse::default()
    }
}

fn committed(cluster: &Cluster, request: &OffsetFetchRequest) -> OffsetFetchResponse {
    let state = cluster.0.lock();
    let groups = request.groups.iter().map(|wanted| {
        let offsets = state
            .groups
            .get(wanted.group_id.as_str())
            .map(|group| &group.offsets);
        let indexes = wanted
            .topics
            .iter()
            .flatten()
            .flat_map(|topic| &topic.partition_indexes);
        let partitions = indexes.map(|index| OffsetFetchResponsePartitions {
            partition_index: *index,
            committed_offset: offsets
                .and_then(|offsets| offsets.get(index))
                .copied()
                .unwrap_or(-1),
            ..OffsetFetchResponsePartitions::default()
        });
        OffsetFetchResponseGroup {
            group_id: wanted.group_id.clone(),
            topics: vec![OffsetFetchResponseTopics {
                name: TOPIC.into(),
                partitions: partitions.collect(),
                ..OffsetFetchResponseTopics::default()
            }],
            ..OffsetFetchResponseGroup::default()
        }
    });
    OffsetFetchResponse {
        groups: groups.collect(),
        ..OffsetFetchResponse::default()
    }
}
