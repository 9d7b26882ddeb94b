package clepsydra.nexmark;

import java.util.stream.IntStream;

import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** The table of all three kinds, or of one. Computes only the columns that the query reads. */
final class NexmarkTableSource implements ScanTableSource, SupportsProjectionPushDown {
    private final NexmarkOptions options;
    private final RowType physical;
    private RowMaker rows;

    NexmarkTableSource(NexmarkOptions options, RowType physical) {
        this.options = options;
        this.physical = physical;
        int[][] all =
                IntStream.range(0, physical.getFieldCount())
                        .mapToObj(i -> new int[] {i})
                        .toArray(int[][]::new);
        rows = RowMaker.make(options.only(), physical, all);
    }

    @Override
    public boolean supportsNestedProjection() {
        return true;
    }

    @Override
    public void applyProjection(int[][] paths, DataType producedType) {
        rows = RowMaker.make(options.only(), physical, paths);
    }

    @Override
    public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
        return SourceProvider.of(new NexmarkSource(options, rows));
    }

    @Override
    public DynamicTableSource copy() {
        NexmarkTableSource copy = new NexmarkTableSource(options, physical);
        copy.rows = rows;
        return copy;
    }

    @Override
    public String asSummaryString() {
        return "nexmark";
    }
}
