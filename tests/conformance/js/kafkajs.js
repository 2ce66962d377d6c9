// kafkajs: codecs, headers, idempotence, seeking, groups while members come and go, admin.
// ADDRESS [TEST...], or ADDRESS offsets TOPIC END: the offset of each record of partition 0 up to the one before END.
'use strict'
const assert = require('node:assert')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, PartitionAssigners, logLevel } = require('kafkajs')
const lz4 = require('lz4js')
const xxh32 = require('lz4js/xxh32')
const { ZstdCodec } = require('zstd-codec')

const [address, ...wanted] = process.argv.slice(2)
const PARTITIONS = 6
const kafka = new Kafka({ clientId: 'conformance', brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 3 } })
const admin = kafka.admin()
const producer = kafka.producer({ allowAutoTopicCreation: false })

const pause = ms => new Promise(done => setTimeout(done, ms))

async function comes (what, holds, state, ms = 30000) {
  for (const until = Date.now() + ms; !holds(); await pause(20)) {
    assert(Date.now() < until, `${what} did not come: ${JSON.stringify(state())}`)
  }
}

/** lz4js writes one block and does not say that it depends on no other, without which Kafka refuses the frame. */
function independent (frame) {
  frame[4] |= 0x20
  frame[6] = (xxh32.hash(0, frame, 4, 2) >> 8) & 0xff
  return frame
}

async function codecs () {
  CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async encoder => independent(Buffer.from(lz4.compress(encoder.buffer))),
    decompress: async buffer => Buffer.from(lz4.decompress(buffer))
  })
  const zstd = await new Promise(done => ZstdCodec.run(zstd => done(new zstd.Simple())))
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(zstd.compress(encoder.buffer)),
    decompress: async buffer => Buffer.from(zstd.decompress(buffer))
  })
}

async function create (topic, numPartitions = PARTITIONS, configEntries = []) {
  assert(await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }], waitForLeaders: true }))
}

/** Everything of a topic, through a group of its own; `offset` is sought in partition 0. */
async function read (topic, count, offset) {
  const consumer = kafka.consumer({ groupId: `read-${topic}-${Date.now()}`, minBytes: 1, maxWaitTimeInMs: 100 })
  const records = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const running = consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => { records.push({ partition, ...message }) } })
  if (offset !== undefined) consumer.seek({ topic, partition: 0, offset: String(offset) })
  await running
  await comes(`${count} records of ${topic}`, () => count <= records.length, () => records.length)
  await consumer.disconnect()
  return records
}

class Member {
  constructor (topic, seen) {
    this.topic = topic
    this.seen = seen
    this.owned = []
    this.consumer = kafka.consumer({ groupId: topic, partitionAssigners: [PartitionAssigners.roundRobin], sessionTimeout: 10000, heartbeatInterval: 200, rebalanceTimeout: 10000, maxWaitTimeInMs: 50 })
    this.consumer.on('consumer.group_join', ({ payload }) => { this.owned = payload.memberAssignment[topic] || [] })
    this.consumer.on('consumer.rebalancing', () => { this.owned = [] })
  }

  async start () {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
    await this.consumer.run({
      eachBatchAutoResolve: false,
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        const last = batch.messages[batch.messages.length - 1]
        await this.consumer.commitOffsets([{ topic: this.topic, partition: batch.partition, offset: String(Number(last.offset) + 1) }])
        resolveOffset(last.offset)
        for (const { offset } of batch.messages) {
          const at = `${batch.partition}/${offset}`
          this.seen.set(at, (this.seen.get(at) || 0) + 1)
        }
      }
    })
    return this
  }
}

async function shared (what, ...members) {
  await comes(what, () => {
    const owned = members.flatMap(member => member.owned)
    return members.every(member => member.owned.length === PARTITIONS / members.length) && new Set(owned).size === PARTITIONS
  }, () => members.map(member => member.owned))
}

const tests = {
  async codecs () {
    await create('js-codecs', 1)
    let total = 0
    for (const [name, compression] of Object.entries(CompressionTypes)) {
      const messages = Array.from({ length: 100 }, (_, n) => ({ key: 'k', value: `${name}-${n}`, headers: { same: ['1', '2'] } }))
      const [answer] = await producer.send({ topic: 'js-codecs', acks: -1, compression, messages })
      assert.deepEqual([answer.errorCode, Number(answer.baseOffset)], [0, total], name)
      total += 100
    }
    const records = await read('js-codecs', total)
    assert.equal(records[total - 1].value.toString(), 'ZSTD-99')
    for (const { headers } of records) assert.deepEqual(headers.same.map(String), ['1', '2'])
  },

  async idempotence () {
    await create('js-idempotent', 1)
    const one = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await one.connect()
    for (let n = 0; n < 50; n++) await one.send({ topic: 'js-idempotent', messages: Array.from({ length: 20 }, (_, at) => ({ value: String(20 * n + at) })) })
    await one.disconnect()
    const records = await read('js-idempotent', 1000)
    records.forEach((record, n) => assert.equal(record.value.toString(), String(n)))
  },

  async seek () {
    await create('js-seek', 1)
    const start = Date.now() - 1000000
    await producer.send({ topic: 'js-seek', messages: Array.from({ length: 200 }, (_, n) => ({ value: String(n), timestamp: String(start + 10 * n) })) })
    const [found] = await admin.fetchTopicOffsetsByTimestamp('js-seek', start + 995)
    assert.equal(found.offset, '100')
    const [offsets] = await admin.fetchTopicOffsets('js-seek')
    assert.deepEqual([offsets.low, offsets.high], ['0', '200'])
    const sought = await read('js-seek', 1, 123)
    assert(sought.some(({ value }) => value.toString() === '123'))
  },

  async large () {
    await create('js-large', 1, [{ name: 'max.message.bytes', value: '3000000' }])
    await producer.send({ topic: 'js-large', messages: [{ value: 'x'.repeat(2500000) }] })
    const [record] = await read('js-large', 1)
    assert.equal(record.value.length, 2500000)
  },

  async group () {
    const topic = 'js-group'
    await create(topic)
    const seen = new Map()
    let stop = false
    let sent = 0
    const producing = (async () => {
      for (; !stop; sent++) await producer.send({ topic, messages: [{ partition: sent % PARTITIONS, value: String(sent) }] })
    })()
    const first = await new Member(topic, seen).start()
    await shared('one has all', first)
    const second = await new Member(topic, seen).start()
    await shared('two share', first, second)
    const third = await new Member(topic, seen).start()
    await shared('three share', first, second, third)
    await second.consumer.disconnect()
    await shared('two are left', first, third)
    stop = true
    await producing
    await comes('everything is read', () => sent <= seen.size, () => [seen.size, sent])
    await first.consumer.disconnect()
    await third.consumer.disconnect()
    assert.equal(seen.size, sent)
    // A batch whose commit failed is not counted, so none is counted twice.
    for (const [at, count] of seen) assert.equal(count, 1, at)
    const [{ partitions }] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
    assert.equal(partitions.reduce((sum, { offset }) => sum + Number(offset), 0), sent)
  },

  async admin () {
    const { brokers, controller } = await admin.describeCluster()
    assert.deepEqual(brokers.map(({ nodeId }) => nodeId), [controller])
    await admin.createPartitions({ topicPartitions: [{ topic: 'js-seek', count: 3 }] })
    const { topics: [described] } = await admin.fetchTopicMetadata({ topics: ['js-seek'] })
    assert.equal(described.partitions.length, 3)
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: 'js-seek', configEntries: [{ name: 'retention.ms', value: '1234567' }] }] })
    const { resources: [config] } = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: 'js-seek', configNames: ['retention.ms'] }] })
    assert.equal(config.configEntries[0].configValue, '1234567')
    await admin.deleteTopicRecords({ topic: 'js-seek', partitions: [{ partition: 0, offset: '50' }] })
    assert.equal((await admin.fetchTopicOffsets('js-seek')).find(({ partition }) => partition === 0).low, '50')
    await admin.setOffsets({ groupId: 'js-offsets', topic: 'js-seek', partitions: [{ partition: 0, offset: '77' }] })
    const [{ partitions }] = await admin.fetchOffsets({ groupId: 'js-offsets', topics: ['js-seek'] })
    assert.equal(partitions.find(({ partition }) => partition === 0).offset, '77')
    const { groups } = await admin.listGroups()
    assert(groups.some(({ groupId }) => groupId === 'js-offsets'))
    const described2 = await admin.describeGroups(['js-offsets'])
    assert.equal(described2.groups[0].state, 'Empty')
    await admin.deleteGroups(['js-offsets'])
    await admin.deleteTopics({ topics: ['js-seek'] })
    assert(!(await admin.listTopics()).includes('js-seek'))
  }
}

/** Prints offsets until the one before `end`. */
async function offsets (topic, end) {
  const consumer = kafka.consumer({ groupId: `offsets-${topic}`, minBytes: 1, maxWaitTimeInMs: 100 })
  let at = -1
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => { at = Number(message.offset); console.log(at) } })
  await comes('the end', () => end - 1 <= at, () => at)
  await consumer.disconnect()
}

async function main () {
  await codecs()
  if (wanted[0] === 'offsets') return offsets(wanted[1], Number(wanted[2])).then(() => process.exit(0))
  await admin.connect()
  await producer.connect()
  let failed = 0
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length && !wanted.includes(name)) continue
    const start = Date.now()
    try {
      await test()
      console.log('ok', name, Date.now() - start, 'ms')
    } catch (error) {
      failed++
      console.log('FAILED', name, error)
    }
  }
  process.exit(failed ? 1 : 0)
}

main()
