// The scenario of test/referee/client-scenario.ts with the AWS SDK for Go v2: main ENDPOINT STREAM IN OUT.
// OUT has a line for each fact: its kind, then its fields, with tabs between.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

const (
	requestRecords = 100
	requestBytes   = 4_000_000
	mebibyte       = 1_048_576
	lineBytes      = 4 * mebibyte
)

var (
	ctx     = context.Background()
	client  *kinesis.Client
	stream  string
	records []types.PutRecordsRequestEntry
	out     *bufio.Writer

	contentTypes = map[string]bool{}
)

type notingClient struct{}

func (notingClient) Do(request *http.Request) (*http.Response, error) {
	contentTypes[request.Header.Get("Content-Type")] = true
	return http.DefaultClient.Do(request)
}

func main() {
	endpoint := os.Args[1]
	stream = os.Args[2]
	client = kinesis.New(kinesis.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
		HTTPClient:   notingClient{},
	})
	read(os.Args[3])
	file := must(os.Create(os.Args[4]))
	out = bufio.NewWriter(file)
	scenario()
	check(out.Flush())
	check(file.Close())
}

func scenario() {
	third := len(records) / 3
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(2)}))
	waitUntilActive()
	for i := range third {
		record := records[i]
		answer := must(client.PutRecord(ctx, &kinesis.PutRecordInput{
			StreamName:      &stream,
			PartitionKey:    record.PartitionKey,
			ExplicitHashKey: record.ExplicitHashKey,
			Data:            record.Data,
		}))
		fact("put", fmt.Sprint(i), *answer.ShardId, *answer.SequenceNumber)
	}
	split()
	putMany(third, 2*third)
	merge()
	putMany(2*third, len(records))
	summary := describe()
	fact("summary", *summary.StreamName, string(summary.StreamStatus), fmt.Sprint(*summary.OpenShardCount))
	whole := must(client.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: &stream})).StreamDescription
	fact("description", *whole.StreamName, string(whole.StreamStatus), fmt.Sprint(len(whole.Shards)))
	fact("created", fmt.Sprint(summary.StreamCreationTimestamp.UnixMilli()))
	for _, shard := range listShards() {
		readShard(shard)
	}
	expectErrors()
	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &stream}))
	left := must(client.ListStreams(ctx, &kinesis.ListStreamsInput{}))
	for contentType := range contentTypes {
		fact("wire", contentType)
	}
	fact("streams", fmt.Sprint(strings.Contains(strings.Join(left.StreamNames, " "), stream)))
}

func putMany(from, to int) {
	for start := from; start < to; {
		end, size := start, 0
		for end < to && end-start < requestRecords && (end == start || size+len(records[end].Data) <= requestBytes) {
			size += len(records[end].Data)
			end++
		}
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &stream, Records: records[start:end]}))
		for i, result := range answer.Records {
			fact("put", fmt.Sprint(start+i), *result.ShardId, *result.SequenceNumber)
		}
		start = end
	}
}

func split() {
	first := openShards()[0]
	middle := new(big.Int).Add(number(*first.HashKeyRange.StartingHashKey), number(*first.HashKeyRange.EndingHashKey))
	middle.Rsh(middle, 1)
	must(client.SplitShard(ctx, &kinesis.SplitShardInput{
		StreamName:         &stream,
		ShardToSplit:       first.ShardId,
		NewStartingHashKey: aws.String(middle.String()),
	}))
	waitUntilActive()
}

func merge() {
	open := openShards()
	must(client.MergeShards(ctx, &kinesis.MergeShardsInput{
		StreamName:           &stream,
		ShardToMerge:         open[0].ShardId,
		AdjacentShardToMerge: open[1].ShardId,
	}))
	waitUntilActive()
}

func waitUntilActive() {
	for range 600 {
		if describe().StreamStatus == types.StreamStatusActive {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	log.Fatal("the stream is not ACTIVE")
}

func describe() *types.StreamDescriptionSummary {
	asked := &kinesis.DescribeStreamSummaryInput{StreamName: &stream}
	return must(client.DescribeStreamSummary(ctx, asked)).StreamDescriptionSummary
}

// Pages of two shards.
func listShards() []types.Shard {
	page := must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream, MaxResults: aws.Int32(2)}))
	shards := page.Shards
	for page.NextToken != nil {
		page = must(client.ListShards(ctx, &kinesis.ListShardsInput{NextToken: page.NextToken, MaxResults: aws.Int32(2)}))
		shards = append(shards, page.Shards...)
	}
	for _, shard := range shards {
		fact("shard", *shard.ShardId, *shard.HashKeyRange.StartingHashKey, *shard.HashKeyRange.EndingHashKey)
	}
	return shards
}

func openShards() []types.Shard {
	open := []types.Shard{}
	for _, shard := range must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})).Shards {
		if shard.SequenceNumberRange.EndingSequenceNumber == nil {
			open = append(open, shard)
		}
	}
	sort.Slice(open, func(i, j int) bool {
		return number(*open[i].HashKeyRange.StartingHashKey).Cmp(number(*open[j].HashKeyRange.StartingHashKey)) < 0
	})
	return open
}

func readShard(shard types.Shard) {
	all := readFrom(&kinesis.GetShardIteratorInput{ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	for _, record := range all {
		fact("read", *shard.ShardId, *record.SequenceNumber, encode([]byte(*record.PartitionKey)), encode(record.Data))
		fact("arrival", fmt.Sprint(record.ApproximateArrivalTimestamp.UnixMilli()))
	}
	recent := readFrom(&kinesis.GetShardIteratorInput{
		ShardId:           shard.ShardId,
		ShardIteratorType: types.ShardIteratorTypeAtTimestamp,
		Timestamp:         aws.Time(time.Now().Add(-time.Hour)),
	})
	rest := []types.Record{}
	if len(all) > 0 {
		rest = readFrom(&kinesis.GetShardIteratorInput{
			ShardId:                shard.ShardId,
			ShardIteratorType:      types.ShardIteratorTypeAfterSequenceNumber,
			StartingSequenceNumber: all[0].SequenceNumber,
		})
	}
	fact("counts", *shard.ShardId, fmt.Sprint(len(all)), fmt.Sprint(len(recent)), fmt.Sprint(len(rest)))
}

func readFrom(asked *kinesis.GetShardIteratorInput) []types.Record {
	asked.StreamName = &stream
	iterator := must(client.GetShardIterator(ctx, asked)).ShardIterator
	read := []types.Record{}
	for iterator != nil {
		answer := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(1000)}))
		read = append(read, answer.Records...)
		iterator = answer.NextShardIterator
		if len(answer.Records) == 0 && *answer.MillisBehindLatest == 0 {
			iterator = nil
		}
	}
	return read
}

func expectErrors() {
	_, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("no-such-stream")})
	expect("missing stream", err)
	tooLarge := make([]byte, mebibyte+1)
	_, err = client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("k"), Data: tooLarge})
	expect("too large", err)
	_, err = client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: aws.String("not an iterator")})
	expect("bad iterator", err)
	_, err = client.DescribeLimits(ctx, &kinesis.DescribeLimitsInput{})
	expect("unknown operation", err)
}

func expect(what string, err error) {
	var answer smithy.APIError
	switch {
	case err == nil:
		fact("error", what, "none")
	case errors.As(err, &answer):
		fact("error", what, answer.ErrorCode())
	default:
		log.Fatal(err)
	}
}

func read(path string) {
	file := must(os.Open(path))
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, lineBytes)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		record := types.PutRecordsRequestEntry{PartitionKey: aws.String(string(decode(fields[0]))), Data: decode(fields[2])}
		if fields[1] != "-" {
			record.ExplicitHashKey = &fields[1]
		}
		records = append(records, record)
	}
	check(lines.Err())
}

func fact(fields ...string) {
	must(out.WriteString(strings.Join(fields, "\t") + "\n"))
}

func number(text string) *big.Int {
	value, _ := new(big.Int).SetString(text, 10)
	return value
}

func encode(data []byte) string {
	return base64.StdEncoding.EncodeToString(data)
}

func decode(text string) []byte {
	return must(base64.StdEncoding.DecodeString(text))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
