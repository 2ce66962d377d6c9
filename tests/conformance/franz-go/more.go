// Large records, seeking by offset, administration, and the offsets of a topic with gaps.
package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func expect(holds bool, what string, got ...any) {
	if !holds {
		check(fmt.Errorf("%v", got), what)
	}
}

// Prints the offset of each record of partition 0, up to the one before end.
func offsets(address, topic, end string) {
	last, err := strconv.ParseInt(end, 10, 64)
	check(err, "end")
	client, err := kgo.NewClient(kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	check(err, "consumer")
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for at := int64(-1); at < last-1; {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			check(e.Err, "fetch "+topic)
		}
		for _, record := range fetches.Records() {
			at = record.Offset
			fmt.Println(at)
		}
	}
}

func large(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ProducerBatchMaxBytes(4_000_000),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	check(err, "producer")
	defer client.Close()
	admin := kadm.NewClient(client)
	limit := "3000000"
	_, err = admin.CreateTopic(ctx, 1, 1, map[string]*string{"max.message.bytes": &limit}, "franz-large")
	check(err, "create topic")
	value := bytes.Repeat([]byte("x"), 2_500_000)
	check(client.ProduceSync(ctx, &kgo.Record{Topic: "franz-large", Value: value}).FirstErr(), "large record")
	tooLarge := client.ProduceSync(ctx, &kgo.Record{Topic: "franz-large", Value: bytes.Repeat([]byte("x"), 3_500_000)}).FirstErr()
	expect(tooLarge != nil, "a batch above max.message.bytes is taken")
	records := read(address, "franz-large", 0, kgo.NewOffset().AtStart(), 1)
	expect(bytes.Equal(records[0].Value, value), "large record", len(records[0].Value))
	fmt.Println("ok large")
}

func administer(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	check(err, "client")
	defer client.Close()
	admin := kadm.NewClient(client)
	const topic, group = "franz-admin", "franz-admin-group"
	_, err = admin.CreateTopic(ctx, 1, 1, nil, topic)
	check(err, "create topic")
	added, err := admin.CreatePartitions(ctx, 2, topic)
	check(err, "create partitions")
	check(added.Error(), "create partitions")
	for n := 0; n < 100; n++ {
		client.Produce(ctx, &kgo.Record{Topic: topic, Partition: 0, Value: []byte(strconv.Itoa(n))}, nil)
	}
	check(client.Flush(ctx), "flush")
	records := read(address, topic, 0, kgo.NewOffset().At(42), 1)
	expect(records[0].Offset == 42, "seek by offset", records[0].Offset)

	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("1234567")}}, topic)
	check(err, "alter configs")
	check(altered[0].Err, "alter configs")
	described, err := admin.DescribeTopicConfigs(ctx, topic)
	check(err, "describe configs")
	told := ""
	for _, config := range described[0].Configs {
		if config.Key == "retention.ms" {
			told = config.MaybeValue()
		}
	}
	expect(told == "1234567", "retention.ms", told)

	var trim kadm.Offsets
	trim.AddOffset(topic, 0, 10, -1)
	_, err = admin.DeleteRecords(ctx, trim)
	check(err, "delete records")
	starts, err := admin.ListStartOffsets(ctx, topic)
	check(err, "list offsets")
	start, _ := starts.Lookup(topic, 0)
	expect(start.Offset == 10, "log start", start.Offset)

	var commits kadm.Offsets
	commits.AddOffset(topic, 0, 33, -1)
	check(admin.CommitAllOffsets(ctx, group, commits), "commit offsets")
	fetched, err := admin.FetchOffsets(ctx, group)
	check(err, "fetch offsets")
	found, _ := fetched.Lookup(topic, 0)
	expect(found.At == 33, "committed", found.At)
	lags, err := admin.Lag(ctx, group)
	check(err, "lag")
	lag := lags[group]
	expect(lag.Lag.Total() == 67, "lag", lag.Lag.Total())
	groups, err := admin.DescribeGroups(ctx, group)
	check(err, "describe groups")
	expect(groups[group].State == "Empty", "state", groups[group].State)
	deleted, err := admin.DeleteGroups(ctx, group)
	check(err, "delete groups")
	check(deleted[group].Err, "delete groups")
	gone, err := admin.DeleteTopics(ctx, topic)
	check(err, "delete topics")
	check(gone[topic].Err, "delete topics")
	topics, err := admin.ListTopics(ctx)
	check(err, "list topics")
	expect(!topics.Has(topic), "a deleted topic is there")
	fmt.Println("ok admin")
}
