"""aws-kinesis-agg of PyPI: aggregation.py aggregate|deaggregate IN OUT. The formats are in test/referee/groups.ts."""

import base64
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def text(value):
    return value if isinstance(value, str) else value.decode()


def aggregate(lines, out):
    for line in lines:
        aggregator = RecordAggregator()
        for _ in range(int(line)):
            key, hash_key, data = next(lines).rstrip("\n").split("\t")
            is_full = aggregator.add_user_record(
                base64.b64decode(key).decode(), base64.b64decode(data), None if hash_key == "-" else hash_key
            )
            if is_full is not None:
                raise RuntimeError("the group does not fit into one aggregate")
        _, _, contents = aggregator.clear_and_get().get_contents()
        out.write(base64.b64encode(contents).decode() + "\n")


def deaggregate(lines, out):
    for line in lines:
        kinesis_record = {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "outer",
                "sequenceNumber": "1",
                "approximateArrivalTimestamp": 0,
                "data": line.rstrip("\n"),
            }
        }
        read = [record["kinesis"] for record in deaggregate_records([kinesis_record])]
        out.write(f"{len(read)}\n")
        for record in read:
            key = base64.b64encode(text(record["partitionKey"]).encode()).decode()
            hash_key = record.get("explicitHashKey")
            data = text(record["data"])
            out.write("\t".join([key, "-" if hash_key is None else text(hash_key), data]) + "\n")


with open(sys.argv[2]) as given, open(sys.argv[3], "w") as out:
    {"aggregate": aggregate, "deaggregate": deaggregate}[sys.argv[1]](iter(given), out)
