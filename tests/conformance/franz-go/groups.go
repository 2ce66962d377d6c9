// Groups: every balancer while members come and go, static members, committed offsets.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	partitions = 6
	patience   = 30 * time.Second
)

func comes(what string, holds func() bool, state func() string) {
	for until := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			check(errors.New(state()), what+" did not come")
		}
	}
}

// What was read, by partition and offset.
type counts struct {
	sync.Mutex
	reads map[[2]int64]int
}

func (c *counts) size() int {
	c.Lock()
	defer c.Unlock()
	return len(c.reads)
}

type member struct {
	sync.Mutex
	client     *kgo.Client
	owned      map[int32]bool
	rebalances int
	stop       context.CancelFunc
	done       chan struct{}
}

func (m *member) shares() []int32 {
	m.Lock()
	defer m.Unlock()
	var owned []int32
	for partition := range m.owned {
		owned = append(owned, partition)
	}
	sort.Slice(owned, func(a, b int) bool { return owned[a] < owned[b] })
	return owned
}

func join(address, topic string, seen *counts, balancer kgo.GroupBalancer, instance string) *member {
	m := &member{owned: map[int32]bool{}, done: make(chan struct{})}
	commit := func(client *kgo.Client) {
		if err := client.CommitUncommittedOffsets(context.Background()); err != nil &&
			!errors.Is(err, kerr.RebalanceInProgress) && !errors.Is(err, kerr.IllegalGeneration) {
			check(err, "commit "+topic)
		}
	}
	options := []kgo.Opt{kgo.SeedBrokers(address), kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic),
		kgo.Balancers(balancer), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second), kgo.FetchMaxWait(50 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			m.Lock()
			defer m.Unlock()
			m.rebalances++
			for _, partition := range assigned[topic] {
				m.owned[partition] = true
			}
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, client *kgo.Client, revoked map[string][]int32) {
			commit(client)
			m.Lock()
			defer m.Unlock()
			for _, partition := range revoked[topic] {
				delete(m.owned, partition)
			}
		}),
	}
	if instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	client, err := kgo.NewClient(options...)
	check(err, "member")
	m.client = client
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			polled, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			fetches := client.PollFetches(polled)
			cancel()
			fetches.EachRecord(func(record *kgo.Record) {
				seen.Lock()
				seen.reads[[2]int64{int64(record.Partition), record.Offset}]++
				seen.Unlock()
			})
			commit(client)
			client.AllowRebalance()
		}
	}()
	return m
}

func (m *member) leave() {
	m.stop()
	<-m.done
	m.client.CloseAllowingRebalance()
}

func shared(what string, members ...*member) {
	comes(what, func() bool {
		union := map[int32]bool{}
		for _, m := range members {
			owned := m.shares()
			if len(owned) != partitions/len(members) {
				return false
			}
			for _, partition := range owned {
				union[partition] = true
			}
		}
		return len(union) == partitions
	}, func() string {
		var state string
		for _, m := range members {
			state += fmt.Sprint(m.shares(), " ")
		}
		return state
	})
}

func committed(client *kgo.Client, group, topic string) (sum int64) {
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group = group
	row := kmsg.NewOffsetFetchRequestTopic()
	row.Topic = topic
	for partition := int32(0); partition < partitions; partition++ {
		row.Partitions = append(row.Partitions, partition)
	}
	request.Topics = append(request.Topics, row)
	response, err := request.RequestWith(context.Background(), client)
	check(err, "offset fetch")
	for _, one := range response.Topics[0].Partitions {
		check(kerr.ErrorForCode(one.ErrorCode), "offset fetch")
		sum += one.Offset
	}
	return sum
}

func membersComeAndGo(address, name string, balancer func() kgo.GroupBalancer) {
	topic := "franz-group-" + name
	producer, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	check(err, "producer")
	defer producer.Close()
	create(producer, topic, partitions)
	seen := &counts{reads: map[[2]int64]int{}}
	ctx, stop := context.WithCancel(context.Background())
	sent := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			record := &kgo.Record{Topic: topic, Partition: int32(n % partitions), Value: []byte(fmt.Sprint(n))}
			check(producer.ProduceSync(context.Background(), record).FirstErr(), "produce")
		}
		sent <- n
	}()
	first := join(address, topic, seen, balancer(), "")
	shared("one has all", first)
	second := join(address, topic, seen, balancer(), "")
	shared("two share", first, second)
	third := join(address, topic, seen, balancer(), "")
	shared("three share", first, second, third)
	second.leave()
	shared("two are left", first, third)
	stop()
	count := <-sent
	comes("everything is read", func() bool { return count <= seen.size() }, func() string { return fmt.Sprint(seen.size(), " of ", count) })
	first.leave()
	third.leave()
	for at, reads := range seen.reads {
		if reads != 1 {
			check(fmt.Errorf("%d reads of %v", reads, at), topic)
		}
	}
	if sum := committed(producer, topic, topic); sum != int64(count) {
		check(fmt.Errorf("%d of %d are committed", sum, count), topic)
	}
	fmt.Println("ok", topic, count, "records")
}

// No rebalance for a second: a member that has just learnt of the topic may ask for another.
func settled(members ...*member) {
	before := -1
	for quiet := 0; quiet < 24; quiet++ {
		now := 0
		for _, m := range members {
			m.Lock()
			now += m.rebalances
			m.Unlock()
		}
		if now != before {
			quiet = 0
		}
		before = now
		time.Sleep(50 * time.Millisecond)
	}
}

func staticMembers(address string) {
	topic := "franz-static"
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	check(err, "client")
	defer client.Close()
	create(client, topic, partitions)
	seen := &counts{reads: map[[2]int64]int{}}
	first := join(address, topic, seen, kgo.RangeBalancer(), "one")
	second := join(address, topic, seen, kgo.RangeBalancer(), "two")
	shared("two share", first, second)
	settled(first, second)
	shared("two still share", first, second)
	before, rebalances := fmt.Sprint(first.shares()), second.rebalances
	first.leave()
	again := join(address, topic, seen, kgo.RangeBalancer(), "one")
	shared("it has its share again", again, second)
	if after := fmt.Sprint(again.shares()); after != before || second.rebalances != rebalances {
		check(fmt.Errorf("%s before, %s after, %d rebalances of the other", before, after, second.rebalances-rebalances), topic)
	}
	again.leave()
	second.leave()
	fmt.Println("ok", topic)
}

func groups(address string) {
	membersComeAndGo(address, "range", kgo.RangeBalancer)
	membersComeAndGo(address, "roundrobin", kgo.RoundRobinBalancer)
	membersComeAndGo(address, "sticky", kgo.StickyBalancer)
	membersComeAndGo(address, "cooperative", kgo.CooperativeStickyBalancer)
	staticMembers(address)
}
