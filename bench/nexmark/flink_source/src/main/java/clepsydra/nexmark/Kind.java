package clepsydra.nexmark;

/** The kinds of event, in the order of their numbers. */
enum Kind {
    PERSON("person"),
    AUCTION("auction"),
    BID("bid");

    /** Of the nested row, and as the value of 'nexmark.table'. */
    final String column;

    Kind(String column) {
        this.column = column;
    }
}
