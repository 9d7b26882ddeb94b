package clepsydra.nexmark;

import java.io.Serializable;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Set;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;

/** The connector's options, named and bounded as in src/connectors/nexmark. */
record NexmarkOptions(
        long seed,
        long baseTimeMs,
        long events,
        double rate,
        long personProportion,
        long auctionProportion,
        long bidProportion,
        long personBytes,
        long auctionBytes,
        long bidBytes,
        long hotAuctionRatio,
        long hotBidderRatio,
        long hotSellerRatio,
        long outOfOrderGroup,
        boolean rateLimited,
        boolean maxEmitSpeed,
        Kind only)
        implements Serializable {

    private static final long SAFE_INTEGER = 1L << 52;

    static final ConfigOption<Long> EVENTS = longOption("events.num", 0);
    static final ConfigOption<Double> FIRST_RATE =
            ConfigOptions.key("first-event.rate").doubleType().noDefaultValue();
    static final ConfigOption<Double> NEXT_RATE =
            ConfigOptions.key("next-event.rate").doubleType().noDefaultValue();
    static final ConfigOption<Boolean> RATE_LIMITED =
            ConfigOptions.key("rate.limited").booleanType().defaultValue(false);
    static final ConfigOption<Boolean> MAX_EMIT_SPEED =
            ConfigOptions.key("max-emit-speed").booleanType().defaultValue(false);
    static final ConfigOption<Long> PERSONS = longOption("person.proportion", 1);
    static final ConfigOption<Long> AUCTIONS = longOption("auction.proportion", 3);
    static final ConfigOption<Long> BIDS = longOption("bid.proportion", 46);
    static final ConfigOption<MemorySize> PERSON_SIZE = sizeOption("person.avg-size", "200b");
    static final ConfigOption<MemorySize> AUCTION_SIZE = sizeOption("auction.avg-size", "500b");
    static final ConfigOption<MemorySize> BID_SIZE = sizeOption("bid.avg-size", "100b");
    static final ConfigOption<Long> HOT_AUCTIONS = longOption("bid.hot-ratio.auctions", 2);
    static final ConfigOption<Long> HOT_BIDDERS = longOption("bid.hot-ratio.bidders", 4);
    static final ConfigOption<Long> HOT_SELLERS = longOption("auction.hot-ratio.sellers", 4);
    static final ConfigOption<Long> OUT_OF_ORDER = longOption("out-of-order-group-size", 1);
    static final ConfigOption<Long> SEED = longOption("seed", 0);
    static final ConfigOption<String> BASE_TIME =
            ConfigOptions.key("base-time").stringType().defaultValue("2015-07-15 00:00:00");
    static final ConfigOption<String> TABLE =
            ConfigOptions.key("nexmark.table").stringType().noDefaultValue();

    static Set<ConfigOption<?>> all() {
        return Set.of(
                EVENTS, FIRST_RATE, NEXT_RATE, RATE_LIMITED, MAX_EMIT_SPEED, PERSONS, AUCTIONS,
                BIDS, PERSON_SIZE, AUCTION_SIZE, BID_SIZE, HOT_AUCTIONS, HOT_BIDDERS, HOT_SELLERS,
                OUT_OF_ORDER, SEED, BASE_TIME, TABLE);
    }

    static NexmarkOptions parse(ReadableConfig config) {
        return new NexmarkOptions(
                config.get(SEED),
                baseTime(config.get(BASE_TIME)),
                bounded(config, EVENTS, 0, SAFE_INTEGER),
                rate(config),
                bounded(config, PERSONS, 1, 1_000_000),
                bounded(config, AUCTIONS, 1, 1_000_000),
                bounded(config, BIDS, 0, 1_000_000),
                size(config, PERSON_SIZE),
                size(config, AUCTION_SIZE),
                size(config, BID_SIZE),
                bounded(config, HOT_AUCTIONS, 1, 65536),
                bounded(config, HOT_BIDDERS, 1, 65536),
                bounded(config, HOT_SELLERS, 1, 65536),
                bounded(config, OUT_OF_ORDER, 1, 952),
                config.get(RATE_LIMITED),
                config.get(MAX_EMIT_SPEED),
                config.getOptional(TABLE).map(NexmarkOptions::kind).orElse(null));
    }

    long eventsPerBlock() {
        return personProportion + auctionProportion + bidProportion;
    }

    private static double rate(ReadableConfig config) {
        Double first = config.get(FIRST_RATE);
        Double next = config.get(NEXT_RATE);
        if (first != null && next != null && !first.equals(next)) {
            throw new ValidationException(
                    "options 'first-event.rate' and 'next-event.rate' differ; expected one rate");
        }
        double rate = next != null ? next : first != null ? first : 10_000;
        if (!(rate >= 1e-3 && rate <= 1e12)) {
            throw new ValidationException(
                    "option 'next-event.rate' is " + rate + "; expected 0.001 to 1e12");
        }
        return rate;
    }

    private static long baseTime(String text) {
        try {
            return LocalDateTime.parse(text.trim().replace(' ', 'T'), DateTimeFormatter.ISO_DATE_TIME)
                    .toInstant(ZoneOffset.UTC)
                    .toEpochMilli();
        } catch (DateTimeParseException notATimestamp) {
            try {
                return Long.parseLong(text.trim());
            } catch (NumberFormatException notANumber) {
                throw new ValidationException(
                        "option 'base-time' is '" + text + "'; expected a timestamp such as "
                                + "'2015-07-15 00:00:00' or milliseconds since 1970");
            }
        }
    }

    private static Kind kind(String name) {
        for (Kind kind : Kind.values()) {
            if (kind.column.equals(name)) {
                return kind;
            }
        }
        throw new ValidationException(
                "option 'nexmark.table' is '" + name + "'; expected person, auction or bid");
    }

    private static long size(ReadableConfig config, ConfigOption<MemorySize> option) {
        long bytes = config.get(option).getBytes();
        if (bytes > 4096) {
            throw new ValidationException(
                    "option '" + option.key() + "' is " + bytes + "; expected at most 4096 bytes");
        }
        return bytes;
    }

    private static long bounded(ReadableConfig config, ConfigOption<Long> option, long min, long max) {
        long value = config.get(option);
        if (value < min || value > max) {
            throw new ValidationException(
                    "option '" + option.key() + "' is " + value + "; expected " + min + " to " + max);
        }
        return value;
    }

    private static ConfigOption<Long> longOption(String key, long defaultValue) {
        return ConfigOptions.key(key).longType().defaultValue(defaultValue);
    }

    private static ConfigOption<MemorySize> sizeOption(String key, String defaultValue) {
        return ConfigOptions.key(key).memoryType().defaultValue(MemorySize.parse(defaultValue));
    }
}
