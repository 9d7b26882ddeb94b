package clepsydra.nexmark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Every count-th turn of blocks, from the index-th on.
 *
 * @param next how many events of the own turns have been read
 */
record NexmarkSplit(int index, int count, long next) implements SourceSplit {
    @Override
    public String splitId() {
        return (index + 1) + " of " + count;
    }

    private void write(DataOutputStream out) throws IOException {
        out.writeInt(index);
        out.writeInt(count);
        out.writeLong(next);
    }

    private static NexmarkSplit read(DataInputStream in) throws IOException {
        return new NexmarkSplit(in.readInt(), in.readInt(), in.readLong());
    }

    static final class Serializer implements SimpleVersionedSerializer<NexmarkSplit> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(NexmarkSplit split) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            split.write(new DataOutputStream(bytes));
            return bytes.toByteArray();
        }

        @Override
        public NexmarkSplit deserialize(int version, byte[] bytes) throws IOException {
            return read(new DataInputStream(new ByteArrayInputStream(bytes)));
        }
    }

    /** The state of the enumerator: the splits that nobody reads. */
    static final class ListSerializer implements SimpleVersionedSerializer<List<NexmarkSplit>> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(List<NexmarkSplit> splits) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeInt(splits.size());
            for (NexmarkSplit split : splits) {
                split.write(out);
            }
            return bytes.toByteArray();
        }

        @Override
        public List<NexmarkSplit> deserialize(int version, byte[] bytes) throws IOException {
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
            int size = in.readInt();
            List<NexmarkSplit> splits = new ArrayList<>();
            for (int i = 0; i < size; ++i) {
                splits.add(read(in));
            }
            return splits;
        }
    }
}
