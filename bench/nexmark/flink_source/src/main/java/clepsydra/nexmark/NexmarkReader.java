package clepsydra.nexmark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.table.data.RowData;

/** Reads the events of its splits, one split after the other, one event per poll. */
final class NexmarkReader implements SourceReader<RowData, NexmarkSplit> {
    /** Splits take turns of so many blocks, so that all are equally far in event time. */
    private static final long TURN_BLOCKS = 80;

    private final SourceReaderContext context;
    private final NexmarkOptions options;
    private final RowMaker rows;
    private final NexmarkGenerator generator;
    private final long turn;
    private final Deque<NexmarkSplit> waiting = new ArrayDeque<>();
    private boolean noMoreSplits;
    private CompletableFuture<Void> available = new CompletableFuture<>();

    // The split being read.
    private NexmarkSplit split;
    private long next; // Counted within the split's turns.
    private long end;
    private long startNs;
    private long startNext;

    NexmarkReader(SourceReaderContext context, NexmarkOptions options, RowMaker rows) {
        this.context = context;
        this.options = options;
        this.rows = rows;
        generator = new NexmarkGenerator(options);
        turn = TURN_BLOCKS * options.eventsPerBlock();
    }

    @Override
    public void start() {
        context.sendSplitRequest();
    }

    @Override
    public InputStatus pollNext(ReaderOutput<RowData> output) {
        if (split == null && !open(waiting.poll())) {
            return noMoreSplits ? InputStatus.END_OF_INPUT : nothing();
        }
        if (next == end) {
            split = null;
            context.sendSplitRequest();
            return InputStatus.MORE_AVAILABLE;
        }
        if (!due()) {
            return nothing();
        }
        long place = (next / turn * split.count() + split.index()) * turn + next % turn;
        ++next;
        long event = generator.eventAt(place);
        Kind kind = generator.kindOf(event);
        if (rows.wants(kind)) {
            output.collect(rows.make(generator, kind, event));
        }
        return InputStatus.MORE_AVAILABLE;
    }

    @Override
    public List<NexmarkSplit> snapshotState(long checkpoint) {
        List<NexmarkSplit> splits = new ArrayList<>(waiting);
        if (split != null) {
            splits.add(new NexmarkSplit(split.index(), split.count(), next));
        }
        return splits;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        return available;
    }

    @Override
    public void addSplits(List<NexmarkSplit> splits) {
        waiting.addAll(splits);
        available.complete(null);
    }

    @Override
    public void notifyNoMoreSplits() {
        noMoreSplits = true;
        available.complete(null);
    }

    @Override
    public void close() {}

    private boolean open(NexmarkSplit opened) {
        if (opened == null) {
            return false;
        }
        split = opened;
        next = opened.next();
        startNext = next;
        startNs = System.nanoTime();
        long round = turn * opened.count();
        long events = options.events();
        end =
                events == 0
                        ? Long.MAX_VALUE
                        : events / round * turn
                                + Math.min(Math.max(events % round - opened.index() * turn, 0), turn);
        return true;
    }

    /** Whether the next event may be read now, at the rate of the options. */
    private boolean due() {
        if (!options.rateLimited() || options.maxEmitSpeed()) {
            return true;
        }
        double rate = options.rate();
        double ns = (next - startNext) / rate * split.count() * 1e9;
        return System.nanoTime() - startNs >= (long) ns;
    }

    private InputStatus nothing() {
        available = new CompletableFuture<>();
        if (split != null) {
            // The next event of a stream with a rate; waking for every single one would cost more
            // than the event.
            CompletableFuture<Void> waited = available;
            CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS)
                    .execute(() -> waited.complete(null));
        }
        return InputStatus.NOTHING_AVAILABLE;
    }
}
