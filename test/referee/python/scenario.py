"""The scenario of test/referee/client-scenario.ts with boto3: scenario.py ENDPOINT STREAM IN OUT."""

import base64
import datetime
import sys

import boto3
import botocore.exceptions

REQUEST_RECORDS = 100
REQUEST_BYTES = 4_000_000
MEBIBYTE = 1_048_576

endpoint, stream, given, out_path = sys.argv[1:]
kinesis = boto3.client(
    "kinesis",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)
out = open(out_path, "w")
content_types = set()
kinesis.meta.events.register("before-send.kinesis", lambda request, **_: note_content_type(request))


def note_content_type(request):
    content_type = request.headers["Content-Type"]
    content_types.add(content_type if isinstance(content_type, str) else content_type.decode())



def fact(*fields):
    out.write("\t".join(str(field) for field in fields) + "\n")


def parse(line):
    key, hash_key, data = line.rstrip("\n").split("\t")
    record = {"PartitionKey": base64.b64decode(key).decode(), "Data": base64.b64decode(data)}
    return record if hash_key == "-" else {**record, "ExplicitHashKey": hash_key}


with open(given) as lines:
    records = [parse(line) for line in lines]


def wait_until_active():
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 0.01, "MaxAttempts": 600})


def summary():
    return kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]


def put_many(start, stop):
    while start < stop:
        end, size = start, 0
        while end < stop and end - start < REQUEST_RECORDS:
            size += len(records[end]["Data"])
            if end > start and size > REQUEST_BYTES:
                break
            end += 1
        answer = kinesis.put_records(StreamName=stream, Records=records[start:end])
        for i, result in enumerate(answer["Records"]):
            fact("put", start + i, result["ShardId"], result["SequenceNumber"])
        start = end


def open_shards():
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    still_open = [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    return sorted(still_open, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def split():
    first = open_shards()[0]
    bounds = first["HashKeyRange"]
    middle = (int(bounds["StartingHashKey"]) + int(bounds["EndingHashKey"])) // 2
    kinesis.split_shard(StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=str(middle))
    wait_until_active()


def merge():
    left, right = open_shards()[:2]
    kinesis.merge_shards(StreamName=stream, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"])
    wait_until_active()


def list_shards():
    """Pages of two shards."""
    page = kinesis.list_shards(StreamName=stream, MaxResults=2)
    shards = page["Shards"]
    while "NextToken" in page:
        page = kinesis.list_shards(NextToken=page["NextToken"], MaxResults=2)
        shards = shards + page["Shards"]
    for shard in shards:
        fact("shard", shard["ShardId"], *(shard["HashKeyRange"][end] for end in ("StartingHashKey", "EndingHashKey")))
    return shards


def read_from(shard, **start):
    asked = {"StreamName": stream, "ShardId": shard["ShardId"], **start}
    iterator = kinesis.get_shard_iterator(**asked)["ShardIterator"]
    read = []
    while iterator is not None:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=1000)
        read += answer["Records"]
        is_at_end = not answer["Records"] and answer["MillisBehindLatest"] == 0
        iterator = None if is_at_end else answer.get("NextShardIterator")
    return read


def read_shard(shard):
    shard_id = shard["ShardId"]
    everything = read_from(shard, ShardIteratorType="TRIM_HORIZON")
    for record in everything:
        key = base64.b64encode(record["PartitionKey"].encode()).decode()
        fact("read", shard_id, record["SequenceNumber"], key, base64.b64encode(record["Data"]).decode())
        fact("arrival", round(record["ApproximateArrivalTimestamp"].timestamp() * 1000))
    hour_ago = datetime.datetime.now() - datetime.timedelta(hours=1)
    recent = read_from(shard, ShardIteratorType="AT_TIMESTAMP", Timestamp=hour_ago)
    rest = []
    if everything:
        first = everything[0]["SequenceNumber"]
        rest = read_from(shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=first)
    fact("counts", shard_id, len(everything), len(recent), len(rest))


def expect(what, call, **arguments):
    try:
        call(**arguments)
        fact("error", what, "none")
    except botocore.exceptions.ClientError as error:
        fact("error", what, error.response["Error"]["Code"])


third = len(records) // 3
kinesis.create_stream(StreamName=stream, ShardCount=2)
wait_until_active()
for i, record in enumerate(records[:third]):
    answer = kinesis.put_record(StreamName=stream, **record)
    fact("put", i, answer["ShardId"], answer["SequenceNumber"])
split()
put_many(third, 2 * third)
merge()
put_many(2 * third, len(records))
described = summary()
fact("summary", described["StreamName"], described["StreamStatus"], described["OpenShardCount"])
pages = kinesis.get_paginator("describe_stream").paginate(StreamName=stream, PaginationConfig={"PageSize": 2})
whole = [page["StreamDescription"] for page in pages]
described_shards = sum(len(page["Shards"]) for page in whole)
fact("description", whole[0]["StreamName"], whole[0]["StreamStatus"], described_shards)
fact("created", round(described["StreamCreationTimestamp"].timestamp() * 1000))
for shard in list_shards():
    read_shard(shard)
expect("missing stream", kinesis.describe_stream_summary, StreamName="no-such-stream")
expect("too large", kinesis.put_record, StreamName=stream, PartitionKey="k", Data=bytes(MEBIBYTE + 1))
expect("bad iterator", kinesis.get_records, ShardIterator="not an iterator")
expect("unknown operation", kinesis.describe_limits)
kinesis.delete_stream(StreamName=stream)
for content_type in content_types:
    fact("wire", content_type)
fact("streams", str(stream in kinesis.list_streams()["StreamNames"]).lower())
out.close()
