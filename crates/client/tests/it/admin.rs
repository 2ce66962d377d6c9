//! Topics and the cluster, through the admin client.

use client::{BrokerId, ConfigChange, ErrorCode, NewTopic, Resource, To};

use crate::support::{eventually, fresh, topic, with_broker};

#[test]
fn topics_are_created_listed_described_and_deleted() {
    with_broker(|client| async move {
        let admin = client.admin();
        let name = topic(&client, "made", 3, &[]).await;
        let listed = admin.list_topics().await.expect("a list");
        let ours = listed
            .iter()
            .find(|topic| topic.name == name)
            .expect("it is there");
        assert_eq!(ours.partitions, 3);
        assert!(!ours.id.is_zero());

        let missing = fresh("missing");
        let described = admin
            .describe_topics(&[&name, &missing])
            .await
            .expect("an answer");
        let (_, first) = &described[0];
        assert_eq!(first.as_ref().expect("described").partitions.len(), 3);
        let refused = described[1].1.as_ref().expect_err("no such topic");
        assert_eq!(refused.code(), Some(ErrorCode::UnknownTopicOrPartition));

        let again = admin
            .create_topics(&[NewTopic::new(&name), NewTopic::new("bad name")])
            .await
            .expect("ok");
        assert_eq!(
            again[0].1.as_ref().expect_err("exists").code(),
            Some(ErrorCode::TopicAlreadyExists)
        );
        assert_eq!(
            again[1].1.as_ref().expect_err("bad").code(),
            Some(ErrorCode::InvalidTopicException)
        );

        let deleted = admin.delete_topics(&[&name, &missing]).await.expect("an answer");
        assert!(deleted[0].1.is_ok());
        let refused = deleted[1].1.as_ref().expect_err("no such topic");
        assert_eq!(refused.code(), Some(ErrorCode::UnknownTopicOrPartition));
    });
}

#[test]
fn a_topic_that_is_only_checked_does_not_exist() {
    with_broker(|client| async move {
        let name = fresh("checked");
        let admin = client.admin();
        let checked = admin
            .check_topics(&[NewTopic::new(&name).partitions(2).replication_factor(1)])
            .await;
        assert!(checked.expect("an answer")[0].1.is_ok());
        let described = admin.describe_topics(&[&name]).await.expect("an answer");
        assert!(described[0].1.is_err());
    });
}

#[test]
fn the_cluster_describes_itself() {
    with_broker(|client| async move {
        let admin = client.admin();
        let cluster = admin.describe_cluster().await.expect("a cluster");
        assert!(!cluster.cluster_id.is_empty());
        assert!(!cluster.brokers.is_empty());
        let features = admin.describe_features().await.expect("features");
        assert!(features.iter().any(|feature| feature.name == "metadata.version"));
    });
}

#[test]
fn settings_of_a_topic_are_described() {
    with_broker(|client| async move {
        let name = topic(&client, "configured", 1, &[("retention.ms", "123456")]).await;
        // A topic can be described a moment after it was created.
        let configs = eventually("settings", || async {
            let wanted = [Resource::topic(&name)];
            let configs = client.admin().describe_configs(&wanted).await.expect("ok");
            configs[0].1.is_ok().then_some(configs)
        })
        .await;
        let entries = configs[0].1.as_ref().expect("described");
        let retention = entries
            .iter()
            .find(|entry| entry.name == "retention.ms")
            .expect("it is there");
        assert_eq!(retention.value.as_deref(), Some("123456"));
    });
}

#[test]
fn settings_change_one_by_one() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::IncrementalAlterConfigs).await {
            return;
        }
        let name = topic(&client, "altered", 1, &[]).await;
        let admin = client.admin();
        let set = ConfigChange::Set("retention.ms".into(), "77".into());
        let wrong = ConfigChange::Set("retention.ms".into(), "soon".into());
        let changes = [
            (Resource::topic(&name), vec![set]),
            (Resource::topic(&name), vec![wrong]),
        ];
        let changed = admin.alter_configs(&changes, false).await.expect("ok");
        assert!(changed[0].1.is_ok());
        assert_eq!(
            changed[1].1.as_ref().expect_err("no number").code(),
            Some(ErrorCode::InvalidConfig)
        );
        eventually("the new setting", || async {
            let wanted = [Resource::topic(&name)];
            let configs = admin.describe_configs(&wanted).await.expect("ok");
            let entries = configs[0].1.as_ref().ok()?;
            let retention = entries.iter().find(|one| one.name == "retention.ms")?;
            (retention.value.as_deref() == Some("77")).then_some(())
        })
        .await;
    });
}

#[test]
fn partitions_are_added_and_never_taken_away() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::CreatePartitions).await {
            return;
        }
        let name = topic(&client, "grown", 2, &[]).await;
        let admin = client.admin();
        assert!(
            admin.create_partitions(&[(&name, 5)], false).await.expect("ok")[0]
                .1
                .is_ok()
        );
        let fewer = admin.create_partitions(&[(&name, 4)], false).await.expect("ok");
        assert_eq!(
            fewer[0].1.as_ref().expect_err("fewer").code(),
            Some(ErrorCode::InvalidPartitions)
        );
        eventually("five partitions", || async {
            let described = admin.describe_topics(&[&name]).await.expect("ok");
            let topic = described[0].1.as_ref().expect("there").clone();
            (topic.partitions.len() == 5).then_some(())
        })
        .await;
    });
}

#[test]
fn log_directories_and_the_quorum_are_described() {
    with_broker(|client| async move {
        if !serves(&client, client::protocol::ApiKey::DescribeLogDirs).await {
            return;
        }
        let name = topic(&client, "stored", 2, &[]).await;
        let admin = client.admin();
        let cluster = admin.describe_cluster().await.expect("a cluster");
        let ids: Vec<BrokerId> = cluster.brokers.iter().map(|broker| broker.id).collect();
        eventually("two replicas", || async {
            let directories = admin.describe_log_dirs(&ids).await.expect("ok");
            let replicas = directories
                .iter()
                .flat_map(|(_, each)| each.as_ref().expect("on line"));
            let ours = replicas
                .flat_map(|(_, directory)| &directory.as_ref().expect("on line").replicas)
                .filter(|replica| *replica.partition.topic == *name);
            (ours.count() == 2).then_some(())
        })
        .await;
        if serves(&client, client::protocol::ApiKey::DescribeQuorum).await {
            let quorum = admin.describe_quorum().await.expect("a quorum");
            assert!(quorum.voters.iter().any(|voter| voter.id == quorum.leader));
        }
    });
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let config =
            client::ClientConfig::new("127.0.0.1:1").with_api_timeout(std::time::Duration::from_millis(300));
        let client = client::Client::new(config).expect("legal");
        let error = client.admin().list_topics().await.expect_err("nobody listens");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:1") && text.contains("refused"), "{text}");
    });
}

/// Whether the broker under test has a key at all.
pub async fn serves(client: &client::Client, key: client::protocol::ApiKey) -> bool {
    client
        .versions(To::Any)
        .await
        .expect("a broker")
        .of(key)
        .is_some()
}
