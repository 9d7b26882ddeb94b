package clepsydra.nexmark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.TimestampType;

/** What the generator knows: one column of one kind of event. */
enum Column {
    PERSON_ID(Kind.PERSON, "id", Type.NUMBER, NexmarkGenerator::personId),
    PERSON_NAME(Kind.PERSON, "name", Type.TEXT, NexmarkGenerator::personName),
    PERSON_EMAIL(Kind.PERSON, "emailAddress", Type.TEXT, NexmarkGenerator::personEmail),
    PERSON_CREDIT_CARD(Kind.PERSON, "creditCard", Type.TEXT, NexmarkGenerator::personCreditCard),
    PERSON_CITY(Kind.PERSON, "city", Type.TEXT, NexmarkGenerator::personCity),
    PERSON_STATE(Kind.PERSON, "state", Type.TEXT, NexmarkGenerator::personState),
    PERSON_TIME(Kind.PERSON, "dateTime", Type.TIME, Column::time),
    PERSON_EXTRA(Kind.PERSON, "extra", Type.TEXT, NexmarkGenerator::personExtra),
    AUCTION_ID(Kind.AUCTION, "id", Type.NUMBER, NexmarkGenerator::auctionId),
    AUCTION_ITEM_NAME(Kind.AUCTION, "itemName", Type.TEXT, NexmarkGenerator::auctionItemName),
    AUCTION_DESCRIPTION(
            Kind.AUCTION, "description", Type.TEXT, NexmarkGenerator::auctionDescription),
    AUCTION_INITIAL_BID(
            Kind.AUCTION, "initialBid", Type.NUMBER, NexmarkGenerator::auctionInitialBid),
    AUCTION_RESERVE(Kind.AUCTION, "reserve", Type.NUMBER, NexmarkGenerator::auctionReserve),
    AUCTION_TIME(Kind.AUCTION, "dateTime", Type.TIME, Column::time),
    AUCTION_EXPIRES(
            Kind.AUCTION,
            "expires",
            Type.TIME,
            (generator, event) -> TimestampData.fromEpochMillis(generator.auctionExpires(event))),
    AUCTION_SELLER(Kind.AUCTION, "seller", Type.NUMBER, NexmarkGenerator::auctionSeller),
    AUCTION_CATEGORY(Kind.AUCTION, "category", Type.NUMBER, NexmarkGenerator::auctionCategory),
    AUCTION_EXTRA(Kind.AUCTION, "extra", Type.TEXT, NexmarkGenerator::auctionExtra),
    BID_AUCTION(Kind.BID, "auction", Type.NUMBER, NexmarkGenerator::bidAuction),
    BID_BIDDER(Kind.BID, "bidder", Type.NUMBER, NexmarkGenerator::bidBidder),
    BID_PRICE(Kind.BID, "price", Type.NUMBER, NexmarkGenerator::bidPrice),
    BID_CHANNEL(Kind.BID, "channel", Type.TEXT, NexmarkGenerator::bidChannel),
    BID_URL(Kind.BID, "url", Type.TEXT, NexmarkGenerator::bidUrl),
    BID_TIME(Kind.BID, "dateTime", Type.TIME, Column::time),
    BID_EXTRA(Kind.BID, "extra", Type.TEXT, NexmarkGenerator::bidExtra);

    /** The value of a column in an event, as Flink's runtime wants it. */
    interface Value extends Serializable {
        Object of(NexmarkGenerator generator, long event);
    }

    private enum Type {
        NUMBER("BIGINT"),
        TEXT("VARCHAR or STRING"),
        TIME("TIMESTAMP(3)");

        private final String sql;

        Type(String sql) {
            this.sql = sql;
        }

        boolean fits(LogicalType type) {
            return switch (this) {
                case NUMBER -> type.is(LogicalTypeRoot.BIGINT);
                case TEXT -> type.is(LogicalTypeFamily.CHARACTER_STRING);
                case TIME -> type instanceof TimestampType time && time.getPrecision() == 3;
            };
        }
    }

    final Kind kind;
    final Value value;
    private final String name;
    private final Type type;

    Column(Kind kind, String name, Type type, Value value) {
        this.kind = kind;
        this.name = name;
        this.type = type;
        this.value = value;
    }

    /** The column of a kind by its declared name, whose declared type must fit. */
    static Column find(Kind kind, String name, LogicalType declared) {
        List<String> known = new ArrayList<>();
        for (Column column : values()) {
            if (column.kind != kind) {
                continue;
            }
            known.add(column.name);
            if (!column.name.equals(name)) {
                continue;
            }
            if (!column.type.fits(declared)) {
                throw new ValidationException(
                        "connector 'nexmark': column '" + name + "' of " + kind.column
                                + " is declared " + declared + "; expected " + column.type.sql);
            }
            return column;
        }
        throw new ValidationException(
                "connector 'nexmark' has no column '" + name + "' in " + kind.column + "; it has: "
                        + String.join(", ", known));
    }

    private static Object time(NexmarkGenerator generator, long event) {
        return TimestampData.fromEpochMillis(generator.timeOf(event));
    }
}
