package clepsydra.nexmark;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/** One split per subtask; see {@link NexmarkSplit}. */
final class NexmarkSource implements Source<RowData, NexmarkSplit, List<NexmarkSplit>> {
    private static final long serialVersionUID = 1;

    private final NexmarkOptions options;
    private final RowMaker rows;

    NexmarkSource(NexmarkOptions options, RowMaker rows) {
        this.options = options;
        this.rows = rows;
    }

    @Override
    public Boundedness getBoundedness() {
        return options.events() > 0 ? Boundedness.BOUNDED : Boundedness.CONTINUOUS_UNBOUNDED;
    }

    @Override
    public SplitEnumerator<NexmarkSplit, List<NexmarkSplit>> createEnumerator(
            SplitEnumeratorContext<NexmarkSplit> context) {
        int count = context.currentParallelism();
        return new Enumerator(
                context,
                IntStream.range(0, count).mapToObj(i -> new NexmarkSplit(i, count, 0)).toList());
    }

    @Override
    public SplitEnumerator<NexmarkSplit, List<NexmarkSplit>> restoreEnumerator(
            SplitEnumeratorContext<NexmarkSplit> context, List<NexmarkSplit> waiting) {
        return new Enumerator(context, waiting);
    }

    @Override
    public SourceReader<RowData, NexmarkSplit> createReader(SourceReaderContext context) {
        return new NexmarkReader(context, options, rows);
    }

    @Override
    public SimpleVersionedSerializer<NexmarkSplit> getSplitSerializer() {
        return new NexmarkSplit.Serializer();
    }

    @Override
    public SimpleVersionedSerializer<List<NexmarkSplit>> getEnumeratorCheckpointSerializer() {
        return new NexmarkSplit.ListSerializer();
    }

    private static final class Enumerator
            implements SplitEnumerator<NexmarkSplit, List<NexmarkSplit>> {
        private final SplitEnumeratorContext<NexmarkSplit> context;
        private final List<NexmarkSplit> waiting;

        Enumerator(SplitEnumeratorContext<NexmarkSplit> context, List<NexmarkSplit> waiting) {
            this.context = context;
            this.waiting = new ArrayList<>(waiting);
        }

        @Override
        public void start() {}

        @Override
        public void handleSplitRequest(int subtask, String host) {
            if (waiting.isEmpty()) {
                context.signalNoMoreSplits(subtask);
            } else {
                context.assignSplit(waiting.remove(0), subtask);
            }
        }

        @Override
        public void addSplitsBack(List<NexmarkSplit> splits, int subtask) {
            waiting.addAll(splits);
        }

        @Override
        public void addReader(int subtask) {}

        @Override
        public List<NexmarkSplit> snapshotState(long checkpoint) {
            return List.copyOf(waiting);
        }

        @Override
        public void close() {}
    }
}
