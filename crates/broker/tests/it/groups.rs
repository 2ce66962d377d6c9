//! Groups and committed offsets (traps 58 to 71, 109, 119), said to a real socket.

use std::time::{Duration, Instant};

use protocol::messages::delete_topics_request::DeleteTopicsRequest;
use protocol::messages::delete_topics_response::DeleteTopicsResponse;
use protocol::messages::describe_groups_request::DescribeGroupsRequest;
use protocol::messages::describe_groups_response::{DescribeGroupsResponse, DescribedGroup};
use protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use protocol::messages::find_coordinator_response::FindCoordinatorResponse;
use protocol::messages::heartbeat_request::HeartbeatRequest;
use protocol::messages::heartbeat_response::HeartbeatResponse;
use protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::join_group_response::JoinGroupResponse;
use protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use protocol::messages::leave_group_response::LeaveGroupResponse;
use protocol::messages::list_groups_request::ListGroupsRequest;
use protocol::messages::list_groups_response::ListGroupsResponse;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_commit_response::OffsetCommitResponse;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::{OffsetFetchResponse, OffsetFetchResponseGroup};
use protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use protocol::messages::sync_group_response::SyncGroupResponse;
use protocol::{ApiKey, Str};
use testkit::{Client, TestNode, batch};
use types::ErrorCode;

use crate::{create, produce};

/// Quick groups on few partitions.
const QUICK: &[(&str, &str)] = &[
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "100"),
    ("offsets.topic.num.partitions", "4"),
];

fn coordinator(client: &mut Client) -> FindCoordinatorResponse {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into(), "h".into()],
        ..Default::default()
    };
    client.ask(ApiKey::FindCoordinator, 4, &request)
}

/// A node with a topic `t` of two partitions, whose coordinators are ready.
fn node(settings: &[(&str, &str)]) -> (TestNode, Client) {
    let node = TestNode::start(settings);
    let mut client = Client::connect(node.address);
    create(&mut client, "t", 2, &[]);
    assert_eq!(coordinator(&mut client).coordinators[0].error_code, 0);
    (node, client)
}

fn join_request(group: &str, member: &Str, instance: Option<&str>) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        member_id: member.clone(),
        group_instance_id: instance.map(Into::into),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: bytes::Bytes::from_static(b"\0\x09 opaque \xff"),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Joins, coming again with the id that a dynamic member gets first (trap 61).
fn join(client: &mut Client, group: &str, instance: Option<&str>) -> JoinGroupResponse {
    let first: JoinGroupResponse = client.ask(
        ApiKey::JoinGroup,
        9,
        &join_request(group, &Str::default(), instance),
    );
    if first.error_code != ErrorCode::MemberIdRequired.code() {
        return first;
    }
    assert!(instance.is_none(), "static members are exempt");
    client.ask(ApiKey::JoinGroup, 9, &join_request(group, &first.member_id, None))
}

fn sync(
    client: &mut Client,
    group: &str,
    joined: &JoinGroupResponse,
    given: &[(&Str, &str)],
) -> SyncGroupResponse {
    let assignment = |(member, text): &(&Str, &str)| SyncGroupRequestAssignment {
        member_id: (*member).clone(),
        assignment: text.to_string().into(),
        ..Default::default()
    };
    let request = SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: given.iter().map(assignment).collect(),
        ..Default::default()
    };
    client.ask(ApiKey::SyncGroup, 5, &request)
}

fn beat(client: &mut Client, group: &str, joined: &JoinGroupResponse) -> Option<ErrorCode> {
    let request = HeartbeatRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    };
    let response: HeartbeatResponse = client.ask(ApiKey::Heartbeat, 4, &request);
    ErrorCode::from_code(response.error_code)
}

struct Offset<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<&'a str>,
}

fn plain(topic: &str, partition: i32, offset: i64) -> Offset<'_> {
    Offset {
        topic,
        partition,
        offset,
        leader_epoch: -1,
        metadata: None,
    }
}

fn commit_request(group: &str, offsets: &[Offset<'_>]) -> OffsetCommitRequest {
    let topic = |offset: &Offset<'_>| OffsetCommitRequestTopic {
        name: offset.topic.into(),
        partitions: vec![OffsetCommitRequestPartition {
            partition_index: offset.partition,
            committed_offset: offset.offset,
            committed_leader_epoch: offset.leader_epoch,
            committed_metadata: offset.metadata.map(Into::into),
            ..Default::default()
        }],
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.into(),
        topics: offsets.iter().map(topic).collect(),
        ..Default::default()
    }
}

/// Commits as nobody, and gives the codes in the order of the answer.
fn commit(client: &mut Client, group: &str, offsets: &[Offset<'_>]) -> Vec<i16> {
    let response: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 9, &commit_request(group, offsets));
    let rows = response.topics.iter().flat_map(|topic| &topic.partitions);
    rows.map(|row| row.error_code).collect()
}

fn fetch_all(client: &mut Client, group: &str) -> OffsetFetchResponseGroup {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: None,
            ..Default::default()
        }],
        ..Default::default()
    };
    let response: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 9, &request);
    response
        .groups
        .into_iter()
        .next()
        .expect("one group was asked for")
}

/// (topic, partition, offset) of everything that a group has committed.
fn committed(client: &mut Client, group: &str) -> Vec<(String, i32, i64)> {
    let rows = fetch_all(client, group).topics.into_iter().flat_map(|topic| {
        let name = topic.name.to_string();
        topic
            .partitions
            .into_iter()
            .map(move |row| (name.clone(), row.partition_index, row.committed_offset))
    });
    rows.collect()
}

fn describe(client: &mut Client, group: &str, version: i16) -> DescribedGroup {
    let request = DescribeGroupsRequest {
        groups: vec![group.into()],
        ..Default::default()
    };
    let response: DescribeGroupsResponse = client.ask(ApiKey::DescribeGroups, version, &request);
    response
        .groups
        .into_iter()
        .next()
        .expect("one group was asked for")
}

#[test]
fn the_first_question_for_a_coordinator_creates_the_offsets_topic() {
    let node = TestNode::start(&[]);
    let mut client = Client::connect(node.address);
    let found = coordinator(&mut client);
    assert_eq!(
        found.coordinators.len(),
        2,
        "from v4 on many keys at once (trap 68)"
    );
    for row in &found.coordinators {
        assert_eq!((row.error_code, row.node_id), (0, 1));
        assert_eq!(row.port, i32::from(node.address.port()));
    }
    let image = node.broker.image();
    let topic = image.topic_by_name("__consumer_offsets").expect("created");
    assert_eq!(topic.partitions.len(), 50);
    let configs = image.configs(metadata::ResourceKind::Topic, "__consumer_offsets");
    assert_eq!(configs.get("cleanup.policy").map(String::as_str), Some("compact"));
    assert_eq!(
        configs.get("segment.bytes").map(String::as_str),
        Some("104857600")
    );
    // Whoever asks is answered at once from now on, and groups work.
    assert_eq!(describe(&mut client, "g", 5).error_code, 0);
    let of_transactions = FindCoordinatorRequest {
        key: "tx".into(),
        key_type: 1,
        ..Default::default()
    };
    let refused: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 3, &of_transactions);
    assert_eq!(refused.error_code, ErrorCode::InvalidRequest.code());
}

#[test]
fn nobody_but_the_coordinator_writes_to_the_offsets_topic() {
    let (_node, mut client) = node(QUICK);
    let answer = produce(&mut client, "__consumer_offsets", 9, batch(1));
    assert_eq!(answer.error_code, ErrorCode::InvalidTopicException.code());
}

#[test]
fn metadata_and_leader_epoch_come_back_as_they_were_committed() {
    let (_node, mut client) = node(QUICK);
    let first = Offset {
        topic: "t",
        partition: 0,
        offset: 5,
        leader_epoch: 3,
        metadata: Some("what I know"),
    };
    assert_eq!(commit(&mut client, "g", &[first, plain("t", 1, 6)]), [0, 0]);
    let all = fetch_all(&mut client, "g");
    let rows = &all.topics[0].partitions;
    let told = |row: &protocol::messages::offset_fetch_response::OffsetFetchResponsePartitions| {
        let metadata = row.metadata.clone().unwrap_or_default();
        (
            row.committed_offset,
            row.committed_leader_epoch,
            metadata.to_string(),
        )
    };
    assert_eq!(told(&rows[0]), (5, 3, "what I know".to_owned()));
    assert_eq!(told(&rows[1]), (6, -1, String::new()));
    // Trap 59: a partition without an offset is -1 without an error, and nothing that was asked for is left out.
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: "g".into(),
            topics: Some(vec![OffsetFetchRequestTopics {
                name: "t".into(),
                partition_indexes: vec![0, 7],
                ..Default::default()
            }]),
            ..Default::default()
        }],
        require_stable: true,
        ..Default::default()
    };
    let some: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 9, &request);
    let rows = &some.groups[0].topics[0].partitions;
    assert_eq!(told(&rows[0]), (5, 3, "what I know".to_owned()));
    assert_eq!((told(&rows[1]), rows[1].error_code), ((-1, -1, String::new()), 0));
}

#[test]
fn what_does_not_exist_does_not_hold_the_others_up() {
    let (_node, mut client) = node(QUICK);
    let offsets = [plain("t", 0, 1), plain("nowhere", 0, 2), plain("t", 9, 3)];
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    // What is refused is answered first.
    assert_eq!(commit(&mut client, "g", &offsets), [unknown, unknown, 0]);
    assert_eq!(committed(&mut client, "g"), [("t".to_owned(), 0, 1)]);
    let long = "m".repeat(4097);
    let too_long = Offset {
        metadata: Some(&long),
        ..plain("t", 0, 9)
    };
    let codes = commit(&mut client, "g", &[too_long]);
    assert_eq!(codes, [ErrorCode::OffsetMetadataTooLarge.code()]);
    assert_eq!(committed(&mut client, "g"), [("t".to_owned(), 0, 1)]);
}

#[test]
fn a_commit_with_a_generation_of_no_group_is_told_so_from_v9_on() {
    let (_node, mut client) = node(QUICK);
    let request = OffsetCommitRequest {
        generation_id_or_member_epoch: 1,
        member_id: "m".into(),
        ..commit_request("none", &[plain("t", 0, 1)])
    };
    for (version, code) in [(8, ErrorCode::IllegalGeneration), (9, ErrorCode::GroupIdNotFound)] {
        let response: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, version, &request);
        assert_eq!(
            response.topics[0].partitions[0].error_code,
            code.code(),
            "v{version}"
        );
    }
}

#[test]
fn a_group_that_does_not_exist_is_dead_and_an_error_from_v6_on() {
    let (_node, mut client) = node(QUICK);
    let old = describe(&mut client, "none", 5);
    assert_eq!((old.error_code, &*old.group_state), (0, "Dead"));
    let new = describe(&mut client, "none", 6);
    let code = ErrorCode::GroupIdNotFound.code();
    assert_eq!((new.error_code, &*new.group_state), (code, "Dead"));
    assert!(new.error_message.is_some());
}

#[test]
fn two_members_share_and_one_takes_over_when_the_other_leaves() {
    let (node, mut one) = node(QUICK);
    let first = join(&mut one, "g", None);
    assert_eq!((first.generation_id, &first.leader), (1, &first.member_id));
    assert_eq!(
        first.members[0].metadata,
        &b"\0\x09 opaque \xff"[..],
        "kept as it came (trap 67)"
    );
    let synced = sync(&mut one, "g", &first, &[(&first.member_id, "all")]);
    assert_eq!(synced.assignment, "all");
    assert_eq!(beat(&mut one, "g", &first), Some(ErrorCode::None));

    let mut two = Client::connect(node.address);
    let id: JoinGroupResponse = two.ask(ApiKey::JoinGroup, 9, &join_request("g", &Str::default(), None));
    two.send(ApiKey::JoinGroup, 9, &join_request("g", &id.member_id, None));
    while beat(&mut one, "g", &first) == Some(ErrorCode::None) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(beat(&mut one, "g", &first), Some(ErrorCode::RebalanceInProgress));
    let again: JoinGroupResponse = one.ask(ApiKey::JoinGroup, 9, &join_request("g", &first.member_id, None));
    let (_, second): (i32, JoinGroupResponse) = two.receive(ApiKey::JoinGroup, 9);
    assert_eq!((again.generation_id, second.generation_id), (2, 2));
    assert_eq!(
        (again.members.len(), second.members.len()),
        (2, 0),
        "the leader alone hears who is there"
    );
    let given = [(&again.member_id, "half"), (&second.member_id, "rest")];
    assert_eq!(sync(&mut one, "g", &again, &given).assignment, "half");
    assert_eq!(sync(&mut two, "g", &second, &[]).assignment, "rest");
    let described = describe(&mut one, "g", 6);
    assert_eq!(
        (&*described.group_state, &*described.protocol_data),
        ("Stable", "range")
    );
    assert!(
        described
            .members
            .iter()
            .all(|member| &*member.client_host == "/127.0.0.1")
    );

    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members: vec![MemberIdentity {
            member_id: again.member_id.clone(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let left: LeaveGroupResponse = one.ask(ApiKey::LeaveGroup, 5, &leave);
    assert_eq!((left.error_code, left.members[0].error_code), (0, 0));
    assert_eq!(beat(&mut two, "g", &second), Some(ErrorCode::RebalanceInProgress));
    assert_eq!(beat(&mut one, "g", &again), Some(ErrorCode::UnknownMemberId));
    let alone: JoinGroupResponse = two.ask(ApiKey::JoinGroup, 9, &join_request("g", &second.member_id, None));
    assert_eq!((alone.generation_id, &alone.leader), (3, &second.member_id));
}

#[test]
fn a_static_member_comes_back_without_a_rebalance_and_fences_its_old_self() {
    let (node, mut one) = node(QUICK);
    let first = join(&mut one, "g", Some("i"));
    sync(&mut one, "g", &first, &[(&first.member_id, "mine")]);
    let mut two = Client::connect(node.address);
    let back = join(&mut two, "g", Some("i"));
    assert_eq!(
        (back.error_code, back.generation_id, back.skip_assignment),
        (0, 1, true)
    );
    assert_ne!(back.member_id, first.member_id);
    assert_eq!(sync(&mut two, "g", &back, &[]).assignment, "mine");
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: first.member_id,
        group_instance_id: Some("i".into()),
        ..Default::default()
    };
    let fenced: HeartbeatResponse = one.ask(ApiKey::Heartbeat, 4, &request);
    assert_eq!(fenced.error_code, ErrorCode::FencedInstanceId.code());
}

#[test]
fn the_initial_delay_is_served_exactly() {
    let delayed = [
        ("group.initial.rebalance.delay.ms", "400"),
        ("offsets.topic.num.partitions", "1"),
    ];
    for (settings, least, most) in [(QUICK, 0, 300), (&delayed[..], 400, 900)] {
        let (_node, mut client) = node(settings);
        let began = Instant::now();
        assert_eq!(join(&mut client, "g", None).error_code, 0);
        let took = began.elapsed().as_millis();
        assert!(least <= took && took < most, "{took} ms with {settings:?}");
    }
}

#[test]
fn a_session_that_ends_frees_its_partitions_without_anybody_asking() {
    let (node, mut one) = node(QUICK);
    let request = JoinGroupRequest {
        session_timeout_ms: 200,
        ..join_request("g", &Str::default(), Some("short"))
    };
    let first: JoinGroupResponse = one.ask(ApiKey::JoinGroup, 9, &request);
    sync(&mut one, "g", &first, &[(&first.member_id, "all")]);
    let mut watcher = Client::connect(node.address);
    assert_eq!(&*describe(&mut watcher, "g", 6).group_state, "Stable");
    std::thread::sleep(Duration::from_millis(400));
    let described = describe(&mut watcher, "g", 6);
    assert_eq!((&*described.group_state, described.members.len()), ("Empty", 0));
}

#[test]
fn groups_and_offsets_outlast_a_power_loss() {
    let (node, mut client) = node(QUICK);
    let joined = join(&mut client, "g", None);
    sync(&mut client, "g", &joined, &[(&joined.member_id, "mine")]);
    let request = OffsetCommitRequest {
        generation_id_or_member_epoch: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..commit_request("g", &[plain("t", 1, 77)])
    };
    let response: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 9, &request);
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
    for index in 0..200 {
        assert_eq!(
            commit(&mut client, &format!("many-{index}"), &[plain("t", 0, index)]),
            [0]
        );
    }
    drop(client);
    let node = TestNode::on(node.power_loss(7), QUICK);
    let mut client = Client::connect(node.address);
    let loaded = || describe(&mut Client::connect(node.address), "g", 6).error_code;
    while loaded() == ErrorCode::CoordinatorLoadInProgress.code() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(committed(&mut client, "g"), [("t".to_owned(), 1, 77)]);
    assert_eq!(
        beat(&mut client, "g", &joined),
        Some(ErrorCode::None),
        "the member is still one"
    );
    assert_eq!(sync(&mut client, "g", &joined, &[]).assignment, "mine");
    for index in 0..200 {
        let expected = [("t".to_owned(), 0, index)];
        assert_eq!(committed(&mut client, &format!("many-{index}")), expected);
    }
    let listed: ListGroupsResponse = client.ask(ApiKey::ListGroups, 5, &ListGroupsRequest::default());
    assert_eq!(
        (listed.error_code, listed.groups.len()),
        (0, 201),
        "each group once (trap 70)"
    );
}

#[test]
fn offsets_go_with_their_topic_also_when_it_comes_again() {
    let (node, mut client) = node(QUICK);
    create(&mut client, "u", 1, &[]);
    commit(
        &mut client,
        "g",
        &[plain("t", 0, 1), plain("t", 1, 2), plain("u", 0, 3)],
    );
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into()],
        timeout_ms: 5000,
        ..Default::default()
    };
    let deleted: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 5, &request);
    assert_eq!(deleted.responses[0].error_code, 0);
    assert_eq!(committed(&mut client, "g"), [("u".to_owned(), 0, 3)]);
    create(&mut client, "t", 1, &[]);
    drop(client);
    let node = TestNode::on(node.power_loss(3), QUICK);
    let mut client = Client::connect(node.address);
    while fetch_all(&mut client, "g").error_code == ErrorCode::CoordinatorLoadInProgress.code() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(committed(&mut client, "g"), [("u".to_owned(), 0, 3)]);
}

#[test]
fn list_filters_by_state_and_type_in_any_case() {
    let (_node, mut client) = node(QUICK);
    let joined = join(&mut client, "full", None);
    sync(&mut client, "full", &joined, &[]);
    commit(&mut client, "simple", &[plain("t", 0, 1)]);
    let mut list = |states: &[&str], types: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| Str::from(*text)).collect();
        let request = ListGroupsRequest {
            states_filter: texts(states),
            types_filter: texts(types),
            ..Default::default()
        };
        let response: ListGroupsResponse = client.ask(ApiKey::ListGroups, 5, &request);
        let mut names: Vec<String> = response
            .groups
            .iter()
            .map(|group| group.group_id.to_string())
            .collect();
        names.sort();
        names
    };
    assert_eq!(list(&[], &[]), ["full", "simple"]);
    assert_eq!(list(&["stable"], &[]), ["full"]);
    assert_eq!(list(&["EMPTY", "Dead"], &["Classic"]), ["simple"]);
    assert!(list(&[], &["consumer"]).is_empty());
}

#[test]
fn a_new_dynamic_member_gets_an_id_first_and_an_old_client_joins_at_once() {
    let (_node, mut client) = node(QUICK);
    let request = join_request("g", &Str::default(), None);
    let first: JoinGroupResponse = client.ask(
        ApiKey::JoinGroup,
        4,
        &JoinGroupRequest {
            reason: None,
            ..request.clone()
        },
    );
    assert_eq!(first.error_code, ErrorCode::MemberIdRequired.code());
    assert!(first.member_id.starts_with("test-"), "{}", first.member_id);
    assert_eq!(&*describe(&mut client, "g", 6).group_state, "Empty");
    let old: JoinGroupResponse =
        client.ask(ApiKey::JoinGroup, 0, &join_request("old", &Str::default(), None));
    assert_eq!((old.error_code, old.generation_id), (0, 1));
}

#[test]
fn what_does_not_fit_a_group_is_refused() {
    let (_node, mut client) = node(QUICK);
    join(&mut client, "g", None);
    let mut code = |change: &dyn Fn(&mut JoinGroupRequest)| {
        let mut request = join_request("g", &Str::default(), None);
        change(&mut request);
        let response: JoinGroupResponse = client.ask(ApiKey::JoinGroup, 9, &request);
        ErrorCode::from_code(response.error_code)
    };
    let inconsistent = Some(ErrorCode::InconsistentGroupProtocol);
    assert_eq!(
        code(&|join| join.protocols[0].name = "sticky".into()),
        inconsistent
    );
    assert_eq!(code(&|join| join.protocol_type = "connect".into()), inconsistent);
    assert_eq!(code(&|join| join.protocols.clear()), inconsistent);
    assert_eq!(
        code(&|join| join.group_id = Str::default()),
        Some(ErrorCode::InvalidGroupId)
    );
    let session = Some(ErrorCode::InvalidSessionTimeout);
    assert_eq!(code(&|join| join.session_timeout_ms = 99), session);
    assert_eq!(
        code(&|join| join.member_id = "stranger".into()),
        Some(ErrorCode::UnknownMemberId)
    );
}

#[test]
fn who_may_commit_depends_on_member_generation_and_phase() {
    let (_node, mut client) = node(QUICK);
    let joined = join(&mut client, "g", None);
    let code = |client: &mut Client, member: &Str, generation: i32| {
        let request = OffsetCommitRequest {
            generation_id_or_member_epoch: generation,
            member_id: member.clone(),
            ..commit_request("g", &[plain("t", 0, 1)])
        };
        let response: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 9, &request);
        ErrorCode::from_code(response.topics[0].partitions[0].error_code)
    };
    let (me, nobody) = (&joined.member_id, &Str::default());
    assert_eq!(
        code(&mut client, me, 1),
        Some(ErrorCode::RebalanceInProgress),
        "it has no assignment yet"
    );
    sync(&mut client, "g", &joined, &[(me, "mine")]);
    assert_eq!(code(&mut client, me, 1), Some(ErrorCode::None));
    assert_eq!(code(&mut client, me, 0), Some(ErrorCode::IllegalGeneration));
    assert_eq!(code(&mut client, me, 2), Some(ErrorCode::IllegalGeneration));
    assert_eq!(
        code(&mut client, &"stranger".into(), 1),
        Some(ErrorCode::UnknownMemberId)
    );
    assert_eq!(
        code(&mut client, nobody, -1),
        Some(ErrorCode::UnknownMemberId),
        "the group has members"
    );
}
