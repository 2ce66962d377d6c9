// franz-go against a broker: main ADDRESS [basics|groups|offsets TOPIC END]. Basics are every codec, idempotent
// producing, assigned partitions, seek by time and offset, large records, administration.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const count = 500

func check(err error, what string) {
	if err != nil {
		fmt.Println("FAILED", what, err)
		os.Exit(1)
	}
}

func create(client *kgo.Client, topic string, partitions int32) {
	request := kmsg.NewPtrCreateTopicsRequest()
	row := kmsg.NewCreateTopicsRequestTopic()
	row.Topic, row.NumPartitions, row.ReplicationFactor = topic, partitions, -1
	request.Topics = append(request.Topics, row)
	request.TimeoutMillis = 10000
	response, err := request.RequestWith(context.Background(), client)
	check(err, "create topic")
	if response.Topics[0].ErrorCode != 0 {
		check(fmt.Errorf("code %d", response.Topics[0].ErrorCode), "create topic")
	}
}

func read(address, topic string, partition int32, from kgo.Offset, wanted int) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: from}}))
	check(err, "consumer")
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var records []*kgo.Record
	for len(records) < wanted {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			check(e.Err, "fetch "+topic)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func main() {
	what := append(os.Args[2:], "basics")[0]
	switch what {
	case "groups":
		groups(os.Args[1])
	case "offsets":
		offsets(os.Args[1], os.Args[3], os.Args[4])
	default:
		basics(os.Args[1])
		large(os.Args[1])
		administer(os.Args[1])
	}
}

func basics(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	start := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for name, codec := range codecs {
		client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ProducerBatchCompression(codec),
			kgo.RecordPartitioner(kgo.ManualPartitioner()))
		check(err, "producer")
		topic := "franz-" + name
		create(client, topic, 2)
		for n := 0; n < count; n++ {
			record := &kgo.Record{Topic: topic, Partition: 1, Value: []byte(fmt.Sprintf("%s-%d", name, n)),
				Timestamp: start.Add(time.Duration(n) * time.Second),
				Headers:   []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}}}
			client.Produce(ctx, record, func(_ *kgo.Record, err error) { check(err, "produce") })
		}
		check(client.Flush(ctx), "flush")
		client.Close()
		for n, record := range read(address, topic, 1, kgo.NewOffset().AtStart(), count)[:count] {
			if string(record.Value) != fmt.Sprintf("%s-%d", name, n) || record.Offset != int64(n) || len(record.Headers) != 2 {
				check(fmt.Errorf("record %d is %q at %d", n, record.Value, record.Offset), topic)
			}
		}
		at := start.Add(250*time.Second - 500*time.Millisecond)
		first := read(address, topic, 1, kgo.NewOffset().AfterMilli(at.UnixMilli()), 1)[0]
		if first.Offset != 250 {
			check(fmt.Errorf("offset %d", first.Offset), "seek by time")
		}
		fmt.Println("ok", topic)
	}
}
