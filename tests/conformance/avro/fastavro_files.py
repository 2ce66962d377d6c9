"""Container files written again by fastavro: python fastavro_files.py FROM TO FILES.

Logical types stay what they are made of: our data are any number and any text, which no date or UUID holds.
"""
import os, sys
import fastavro
from fastavro import _read, _write

_read.LOGICAL_READERS.clear()
_write.LOGICAL_WRITERS.clear()
source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(target, exist_ok=True)
failed = 0
for n in range(count):
    try:
        with open(f"{source}/{n}.avro", "rb") as file:
            reader = fastavro.reader(file, return_record_name=True, return_named_type=True)
            data, schema, codec = list(reader), reader.writer_schema, reader.codec
        with open(f"{target}/{n}.avro", "wb") as file:
            fastavro.writer(file, schema, data, codec=codec)
    except Exception as error:
        failed += 1
        print(f"{n}: {type(error).__name__}: {str(error)[:300]}")
print(f"{count - failed} files written again, {failed} not")
sys.exit(1 if failed else 0)
