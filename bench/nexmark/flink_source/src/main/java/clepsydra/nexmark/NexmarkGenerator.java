package clepsydra.nexmark;

import java.nio.charset.StandardCharsets;

import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * The events of the auction: every column of event n follows from (seed, n) alone.
 *
 * <p>A copy of the rules in src/connectors/nexmark/nexmark_generator.cc: the same mixing functions,
 * the same polynomial, the same texts. bench/nexmark/check_events compares the two.
 */
final class NexmarkGenerator {
    private static final long FIRST_ID = 1000; // Of persons and auctions.
    private static final long HOT_BLOCK = 100; // Hot ids change once per so many ids.
    private static final long ACTIVE_PERSONS = 1000;
    private static final long IN_FLIGHT_AUCTIONS = 100;
    private static final long LEAD = 10; // Ids that do not exist yet.
    private static final long FIRST_CATEGORY = 10;
    private static final long CATEGORIES = 5;
    private static final int CHANNELS = 10_000;
    private static final int TEXT_BYTES = 1 << 16;
    private static final int LONGEST_CUT = 4096;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private static final String[] FIRST_NAMES = {
        "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"
    };
    private static final String[] LAST_NAMES = {
        "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"
    };
    private static final String[] CITIES = {
        "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle",
        "Kent", "Cheyenne"
    };
    private static final String[] STATES = {"AZ", "CA", "ID", "OR", "WA", "WY"};
    private static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};

    // Independent sequences of random numbers per event.
    private static final int BID_IDS = 1;
    private static final int BID_PRICE = 2;
    private static final int BID_CHANNEL = 3;
    private static final int BID_SIZE = 4;
    private static final int BID_CUT = 5;
    private static final int AUCTION_IDS = 6;
    private static final int AUCTION_PRICE = 7;
    private static final int AUCTION_LENGTH = 8;
    private static final int AUCTION_NAME = 9;
    private static final int AUCTION_TEXT = 10;
    private static final int AUCTION_SIZE = 11;
    private static final int AUCTION_CUT = 12;
    private static final int PERSON_NAMES = 13;
    private static final int PERSON_MAIL = 14;
    private static final int PERSON_CARD = 15;
    private static final int PERSON_PLACE = 16;
    private static final int PERSON_SIZE = 17;
    private static final int PERSON_CUT = 18;

    private final NexmarkOptions options;
    private final long block;
    private final long seed;
    private final long horizonEvents; // In which 100 more auctions appear.
    private final byte[] text = new byte[TEXT_BYTES];
    private final BinaryStringData[] names;
    private final BinaryStringData[] cities = texts(CITIES);
    private final BinaryStringData[] states = texts(STATES);
    private final BinaryStringData[] channelNames; // HOT_CHANNELS, then channel-0 ...
    private final BinaryStringData[] channelUrls;

    NexmarkGenerator(NexmarkOptions options) {
        this.options = options;
        block = options.eventsPerBlock();
        seed = mix(options.seed() * GOLDEN + 1);
        horizonEvents = IN_FLIGHT_AUCTIONS * block / options.auctionProportion();
        for (int i = 0; i < TEXT_BYTES / 8; ++i) {
            long random = mix(seed + i);
            for (int k = 0; k < 8; ++k) {
                text[8 * i + k] = (byte) ('a' + below((int) ((random >>> (8 * k) & 0xFF) << 24), 26));
            }
        }
        String[] people = new String[FIRST_NAMES.length * LAST_NAMES.length];
        for (int i = 0; i < people.length; ++i) {
            people[i] = FIRST_NAMES[i / LAST_NAMES.length] + " " + LAST_NAMES[i % LAST_NAMES.length];
        }
        names = texts(people);
        String[] channels = new String[HOT_CHANNELS.length + CHANNELS];
        String[] urls = new String[channels.length];
        for (int i = 0; i < channels.length; ++i) {
            makeChannel(i, channels, urls);
        }
        channelNames = texts(channels);
        channelUrls = texts(urls);
    }

    private void makeChannel(int i, String[] channels, String[] urls) {
        long random = mix(seed ^ mix(i + 0x5EEDL));
        StringBuilder url = new StringBuilder("https://www.nexmark.com");
        for (int directory = 0; directory < 3; ++directory) {
            url.append('/');
            int letters = 3 + (int) (random & 1);
            random = mix(random + 1);
            for (int k = 0; k < letters; ++k) {
                url.append((char) ('a' + below(low(random), 26)));
                random = mix(random + 1);
            }
        }
        url.append("/item.htm?query=1");
        if (i < HOT_CHANNELS.length) {
            channels[i] = HOT_CHANNELS[i];
        } else {
            int number = i - HOT_CHANNELS.length;
            channels[i] = "channel-" + number;
            if (below(low(random), 10) > 0) {
                url.append("&channel_id=").append(Math.abs((long) Integer.reverse(number)));
            }
        }
        urls[i] = url.toString();
    }

    // --- Places, kinds and times ---------------------------------------------------------------

    /** The event that stands at place n of the stream (out-of-order groups permute places). */
    long eventAt(long n) {
        long group = options.outOfOrderGroup();
        if (group <= 1) {
            return n;
        }
        long start = n / group * group;
        return start + n % group * 953 % group;
    }

    Kind kindOf(long event) {
        long offset = event % block;
        if (offset < options.personProportion()) {
            return Kind.PERSON;
        }
        return offset < options.personProportion() + options.auctionProportion()
                ? Kind.AUCTION
                : Kind.BID;
    }

    /** Event time in epoch milliseconds. */
    long timeOf(long event) {
        return options.baseTimeMs() + (long) ((double) event * 1000.0 / options.rate());
    }

    private long lastPerson(long event) { // Counted from 0.
        return event / block * options.personProportion()
                + Math.min(event % block, options.personProportion() - 1);
    }

    private long lastAuction(long event) { // Counted from 0.
        long before = event / block * options.auctionProportion();
        long offset = event % block - options.personProportion();
        // Before the first auction of a block: the last one of the block before.
        return offset < 0 ? before - 1 : before + Math.min(offset, options.auctionProportion() - 1);
    }

    private long anyPerson(long event, int random) {
        long persons = lastPerson(event) + 1;
        long active = Math.min(persons, ACTIVE_PERSONS);
        return persons - active + below(random, active + LEAD);
    }

    // --- Columns of a person -------------------------------------------------------------------

    long personId(long event) {
        return lastPerson(event) + FIRST_ID;
    }

    BinaryStringData personName(long event) {
        return pick(names, low(random(event, PERSON_NAMES)));
    }

    StringData personEmail(long event) {
        byte[] bytes = new byte[17];
        long random = random(event, PERSON_MAIL);
        for (int i = 0; i < 13; ++i) {
            if (i == 7) {
                bytes[i] = '@';
                continue;
            }
            bytes[i] = (byte) ('a' + below(low(random), 26));
            random = mix(random + 1);
        }
        bytes[13] = '.';
        bytes[14] = 'c';
        bytes[15] = 'o';
        bytes[16] = 'm';
        return StringData.fromBytes(bytes);
    }

    StringData personCreditCard(long event) {
        byte[] bytes = new byte[19];
        long random = random(event, PERSON_CARD);
        for (int group = 0; group < 4; ++group) {
            if (group > 0) {
                bytes[5 * group - 1] = ' ';
            }
            long digits = below(low(random), 10_000);
            for (int i = 3; i >= 0; --i) {
                bytes[5 * group + i] = (byte) ('0' + digits % 10);
                digits /= 10;
            }
            random = mix(random + 1);
        }
        return StringData.fromBytes(bytes);
    }

    BinaryStringData personCity(long event) {
        return pick(cities, low(random(event, PERSON_PLACE)));
    }

    StringData personState(long event) {
        return pick(states, high(random(event, PERSON_PLACE)));
    }

    StringData personExtra(long event) {
        // Id, name, email address, credit card, city, state, as they are in this event.
        long used = 8 + personName(event).getSizeInBytes() + 17 + 19
                + personCity(event).getSizeInBytes() + 2;
        return cut(
                low(random(event, PERSON_CUT)),
                extraBytes(event, PERSON_SIZE, used, options.personBytes()));
    }

    // --- Columns of an auction -----------------------------------------------------------------

    long auctionId(long event) {
        return lastAuction(event) + FIRST_ID;
    }

    StringData auctionItemName(long event) {
        long r = random(event, AUCTION_NAME);
        return cut(low(r), itemNameBytes(r));
    }

    private static long itemNameBytes(long random) {
        return 3 + below(high(random), 18);
    }

    StringData auctionDescription(long event) {
        long r = random(event, AUCTION_TEXT);
        return cut(low(r), descriptionBytes(r));
    }

    private static long descriptionBytes(long random) {
        return 3 + below(high(random), 98);
    }

    long auctionInitialBid(long event) {
        return price(random(event, AUCTION_PRICE));
    }

    long auctionReserve(long event) {
        return price(random(event, AUCTION_PRICE)) + price(random(event, AUCTION_PRICE + 64));
    }

    long auctionExpires(long event) {
        long time = timeOf(event);
        long horizon = timeOf(event + horizonEvents) - time;
        return time + 1 + below(low(random(event, AUCTION_LENGTH)), Math.max(horizon * 2, 1));
    }

    long auctionSeller(long event) {
        long r = random(event, AUCTION_IDS);
        if (below(low(r) << 16, options.hotSellerRatio()) > 0) {
            return lastPerson(event) / HOT_BLOCK * HOT_BLOCK + FIRST_ID;
        }
        return anyPerson(event, high(r)) + FIRST_ID;
    }

    long auctionCategory(long event) {
        return FIRST_CATEGORY + below(low(random(event, AUCTION_IDS + 64)), CATEGORIES);
    }

    StringData auctionExtra(long event) {
        long used = 8 * 7 + itemNameBytes(random(event, AUCTION_NAME))
                + descriptionBytes(random(event, AUCTION_TEXT));
        return cut(
                low(random(event, AUCTION_CUT)),
                extraBytes(event, AUCTION_SIZE, used, options.auctionBytes()));
    }

    // --- Columns of a bid ----------------------------------------------------------------------

    long bidAuction(long event) {
        long r = random(event, BID_IDS);
        long last = lastAuction(event);
        if (below(low(r) << 16, options.hotAuctionRatio()) > 0) {
            return Math.floorDiv(last, HOT_BLOCK) * HOT_BLOCK + FIRST_ID;
        }
        long first = Math.max(last - IN_FLIGHT_AUCTIONS, 0);
        return first + below(high(r), last - first + 1 + LEAD) + FIRST_ID;
    }

    long bidBidder(long event) {
        // The offset of the first person counts twice, as in the benchmark.
        long r = random(event, BID_IDS + 64);
        if (below(low(r) << 16, options.hotBidderRatio()) > 0) {
            return lastPerson(event) / HOT_BLOCK * HOT_BLOCK + 1 + 2 * FIRST_ID;
        }
        return anyPerson(event, high(r)) + 2 * FIRST_ID;
    }

    long bidPrice(long event) {
        return price(random(event, BID_PRICE));
    }

    StringData bidChannel(long event) {
        return channelNames[channel(event)];
    }

    StringData bidUrl(long event) {
        return channelUrls[channel(event)];
    }

    private int channel(long event) {
        long r = random(event, BID_CHANNEL);
        return (r & 1) != 0
                ? (int) below(high(r), HOT_CHANNELS.length)
                : HOT_CHANNELS.length + (int) below(high(r), CHANNELS);
    }

    StringData bidExtra(long event) {
        // Only the four numbers count as used.
        return cut(
                low(random(event, BID_CUT)), extraBytes(event, BID_SIZE, 32, options.bidBytes()));
    }

    // --- Random numbers and texts --------------------------------------------------------------

    private long random(long event, int stream) {
        return mix(seed ^ mix(event * GOLDEN + stream));
    }

    /** The finaliser of MurmurHash3's relative "Mix13" (D. Stafford), as in SplitMix64. */
    private static long mix(long x) {
        x ^= x >>> 30;
        x *= 0xBF58476D1CE4E5B9L;
        x ^= x >>> 27;
        x *= 0x94D049BB133111EBL;
        return x ^ x >>> 31;
    }

    /** Uniform in [0, n) from 32 random bits. */
    private static long below(int random, long n) {
        return (random & 0xFFFFFFFFL) * n >>> 32;
    }

    private static int low(long random) {
        return (int) random;
    }

    private static int high(long random) {
        return (int) (random >>> 32);
    }

    /**
     * round(100 * 10^(6u)), u uniform in [0, 1): 10^(6u) = 2^i * 2^f by a polynomial, so that the
     * same bits come out everywhere.
     */
    private static long price(long random) {
        double exponent = (double) (random >>> 11) * 0x1p-53 * 19.931568569324174;
        long whole = (long) exponent;
        double x = (exponent - (double) whole) * 0.6931471805599453;
        double sum = 1.0 / 362880;
        sum = sum * x + 1.0 / 40320;
        sum = sum * x + 1.0 / 5040;
        sum = sum * x + 1.0 / 720;
        sum = sum * x + 1.0 / 120;
        sum = sum * x + 1.0 / 24;
        sum = sum * x + 1.0 / 6;
        sum = sum * x + 0.5;
        sum = sum * x + 1;
        sum = sum * x + 1;
        return (long) (sum * 100.0 * (double) (1L << whole) + 0.5);
    }

    private long extraBytes(long event, int stream, long used, long wanted) {
        if (used > wanted) {
            return 0;
        }
        long average = wanted - used;
        long delta = (long) ((double) average * 0.2 + 0.5);
        return average - delta + (delta == 0 ? 0 : below(low(random(event, stream)), 2 * delta));
    }

    private StringData cut(int random, long bytes) {
        int length = (int) Math.min(Math.max(bytes, 0), LONGEST_CUT);
        int offset = (int) below(random, TEXT_BYTES - LONGEST_CUT);
        return StringData.fromBytes(text, offset, length);
    }

    private static BinaryStringData pick(BinaryStringData[] list, int random) {
        return list[(int) below(random, list.length)];
    }

    private static BinaryStringData[] texts(String[] strings) {
        BinaryStringData[] made = new BinaryStringData[strings.length];
        for (int i = 0; i < strings.length; ++i) {
            made[i] = BinaryStringData.fromBytes(strings[i].getBytes(StandardCharsets.UTF_8));
        }
        return made;
    }
}
