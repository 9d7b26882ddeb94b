// The words of the grammar: reserved ones, and those that are names wherever the grammar leaves
// room.
//
// All words live in one sorted table made at compile time. Word("SELECT") is looked up in it while
// compiling, so that a misspelt word in the parser does not compile, and comparing words is
// comparing numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace clepsydra::grammar {

namespace internal {

// Not names without backticks. The reference's set: the SQL standard's reserved words and its own.
inline constexpr std::string_view kReservedWords =
    "ABS ALL ALLOCATE ALLOW ALTER AND ANY ARE ARRAY ARRAY_MAX_CARDINALITY AS ASENSITIVE ASYMMETRIC "
    "AT "
    "ATOMIC AUTHORIZATION AVG BEGIN BEGIN_FRAME BEGIN_PARTITION BETWEEN BIGINT BINARY BIT BLOB "
    "BOOLEAN "
    "BOTH BUCKETS BY BYTES CALL CALLED CARDINALITY CASCADED CASE CAST CATALOGS CEIL CEILING CHAR "
    "CHARACTER CHARACTER_LENGTH CHAR_LENGTH CHECK CLASSIFIER CLOB CLOSE COALESCE COLLATE COLLECT "
    "COLUMN "
    "COMMENT COMMIT CONDITION CONNECT CONNECTIONS CONSTRAINT CONTAINS CONTINUOUS CONVERT CORR "
    "CORRESPONDING COUNT COVAR_POP COVAR_SAMP CREATE CROSS CUBE CUME_DIST CURRENT CURRENT_CATALOG "
    "CURRENT_DATE CURRENT_DEFAULT_TRANSFORM_GROUP CURRENT_PATH CURRENT_ROLE CURRENT_ROW "
    "CURRENT_SCHEMA "
    "CURRENT_TIME CURRENT_TIMESTAMP CURRENT_TRANSFORM_GROUP_FOR_TYPE CURRENT_USER CURSOR CYCLE "
    "DATABASES "
    "DATE DATETIME DAY DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFINE DELETE DENSE_RANK DEREF "
    "DESCRIBE "
    "DETERMINISTIC DISALLOW DISCONNECT DISTINCT DISTRIBUTED DISTRIBUTION DOUBLE DROP DYNAMIC EACH "
    "ELEMENT ELSE EMPTY END END_FRAME END_PARTITION EQUALS ESCAPE EVERY EXCEPT EXEC EXECUTE EXISTS "
    "EXP "
    "EXPLAIN EXTEND EXTENDED EXTERNAL EXTRACT FALSE FETCH FILTER FIRST_VALUE FLOAT FLOOR FOR "
    "FOREIGN "
    "FRAME_ROW FREE FRESHNESS FROM FULL FUNCTION FUNCTIONS FUSION GET GLOBAL GRANT GROUP GROUPING "
    "GROUPS "
    "HASH HAVING HOLD HOUR IDENTITY ILIKE IMPORT IN INDICATOR INITIAL INNER INOUT INSENSITIVE "
    "INSERT INT "
    "INTEGER INTERSECT INTERSECTION INTERVAL INTO IS JOIN JSON_ARRAY JSON_ARRAYAGG JSON_EXISTS "
    "JSON_OBJECT JSON_OBJECTAGG JSON_QUERY JSON_VALUE LAG LANGUAGE LARGE LAST_VALUE LATERAL LEAD "
    "LEADING "
    "LEFT LIKE LIKE_REGEX LIMIT LN LOCAL LOCALTIME LOCALTIMESTAMP LOWER MATCH MATCHES MATCH_NUMBER "
    "MATCH_RECOGNIZE MATERIALIZED MAX MEASURES MEMBER MERGE METHOD MIN MINUS MINUTE MOD MODELS "
    "MODIFIES "
    "MODIFY MODULE MODULES MONTH MULTISET NATIONAL NATURAL NCHAR NCLOB NEW NEXT NO NONE NORMALIZE "
    "NOT "
    "NTH_VALUE NTILE NULL NULLIF NUMERIC OCCURRENCES_REGEX OCTET_LENGTH OF OFFSET OLD OMIT ON ONE "
    "ONLY "
    "OPEN OR ORDER OUT OUTER OVER OVERLAPS OVERLAY PARAMETER PARTITION PATTERN PER PERCENT "
    "PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK PERIOD PERMUTE PIVOT PORTION POSITION "
    "POSITION_REGEX "
    "POWER PRECEDES PRECISION PREPARE PREV PRIMARY PROCEDURE PROCEDURES QUALIFY RANGE RANK RAW "
    "READS "
    "REAL RECURSIVE REF REFERENCES REFERENCING REFRESH REFRESH_MODE REGR_AVGX REGR_AVGY REGR_COUNT "
    "REGR_INTERCEPT REGR_R2 REGR_SLOPE REGR_SXX REGR_SXY REGR_SYY RELEASE RENAME RESET RESULT "
    "RESUME "
    "RETURN RETURNS REVOKE RIGHT RLIKE ROLLBACK ROLLUP ROW ROWS ROW_NUMBER RUNNING SAVEPOINT SCALA "
    "SCOPE "
    "SCROLL SEARCH SECOND SEEK SELECT SENSITIVE SESSION_USER SET SHOW SIMILAR SKIP SMALLINT SOME "
    "SPECIFIC SPECIFICTYPE SQL SQLEXCEPTION SQLSTATE SQLWARNING SQRT START STATEMENT STATIC "
    "STDDEV_POP "
    "STDDEV_SAMP STREAM STRING STRUCTURED SUBMULTISET SUBSET SUBSTRING SUBSTRING_REGEX SUCCEEDS "
    "SUM "
    "SUSPEND SYMMETRIC SYSTEM SYSTEM_TIME SYSTEM_USER TABLE TABLES TABLESAMPLE THEN TIME TIMESTAMP "
    "TIMESTAMP_LTZ TIMEZONE_HOUR TIMEZONE_MINUTE TINYINT TO TRAILING TRANSLATE TRANSLATE_REGEX "
    "TRANSLATION TREAT TRIGGER TRIM TRIM_ARRAY TRUE TRUNCATE TRY_CAST UESCAPE UNION UNIQUE UNKNOWN "
    "UNNEST UNPIVOT UPDATE UPPER UPSERT USE USER USING VALUE VALUES VALUE_OF VARBINARY VARCHAR "
    "VARYING "
    "VAR_POP VAR_SAMP VERSIONING VIEWS WATERMARK WATERMARKS WHEN WHENEVER WHERE WINDOW WITH WITHIN "
    "WITHOUT YEAR";

// Words that the grammar knows in their places and that are names everywhere else.
inline constexpr std::string_view kOtherWords =
    "A ABSENT ADD AFTER ANALYZE ARTIFACT ASC AST BERNOULLI BITMAP CASCADE CATALOG CENTURY "
    "CHANGELOG_MODE "
    "CLEAR COLUMNS COMPILE COMPUTE CONDITIONAL CONFLICT CONNECTION CONSTRAINTS CPP DATABASE DAYS "
    "DECADE "
    "DEDUPLICATE DESC DESCRIPTOR DO DOW DOY DRAIN ENFORCED EPOCH ERROR ESTIMATED_COST EXCLUDE "
    "EXCLUDING "
    "EXIT FINAL FIRST FOLLOWING FRAC_SECOND FROM_BEGINNING FROM_NOW FROM_TIMESTAMP GENERATED HELP "
    "HOURS "
    "IF IGNORE IMMEDIATELY INCLUDING INPUT ISODOW ISOYEAR JAR JARS JAVA JOB JOBS JSON "
    "JSON_EXECUTION_PLAN KEY LAST LOAD MAP METADATA MICROSECOND MILLENNIUM MILLISECOND MINUTES "
    "MODEL "
    "MONTHS NANOSECOND NOTHING NULLS OBJECT OPTION OPTIONS ORDINALITY OUTPUT OVERWRITE OVERWRITING "
    "PARTITIONED PARTITIONS PAST PLACING PLAN PLAN_ADVICE PRECEDING PYTHON QUARTER QUARTERS QUIT "
    "REMOVE "
    "REPEATABLE REPLACE RESPECT RESTRICT RESUME_OR_FROM_BEGINNING RESUME_OR_FROM_NOW "
    "RESUME_OR_FROM_TIMESTAMP RETURNING SCALAR SECONDS SESSION SETS SQL_TSI_DAY "
    "SQL_TSI_FRAC_SECOND "
    "SQL_TSI_HOUR SQL_TSI_MICROSECOND SQL_TSI_MINUTE SQL_TSI_MONTH SQL_TSI_QUARTER SQL_TSI_SECOND "
    "SQL_TSI_WEEK SQL_TSI_YEAR START_MODE STATISTICS STOP TEMPORARY TIES TIMESTAMPADD "
    "TIMESTAMPDIFF "
    "UNBOUNDED UNCONDITIONAL UNLOAD VARIANT VIEW VIRTUAL WEEK WEEKS WRAPPER YEARS ZONE";

struct TableEntry {
  std::string_view text;
  bool reserved = false;
};

constexpr std::size_t count_words(std::string_view list) {
  return static_cast<std::size_t>(std::count(list.begin(), list.end(), ' ')) + 1;
}

inline constexpr std::size_t kWordCount = count_words(kReservedWords) + count_words(kOtherWords);

consteval std::array<TableEntry, kWordCount> make_table() {
  std::array<TableEntry, kWordCount> table{};
  std::size_t next = 0;
  const auto add = [&](std::string_view list, bool reserved) {
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(' '), list.size());
      table[next++] = {list.substr(0, end), reserved};
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  };
  add(kReservedWords, true);
  add(kOtherWords, false);
  std::sort(table.begin(), table.end(),
            [](const TableEntry& a, const TableEntry& b) { return a.text < b.text; });
  return table;
}

inline constexpr std::array<TableEntry, kWordCount> kWordTable = make_table();

constexpr std::size_t find_word(std::string_view text) {
  const auto* it = std::lower_bound(
      kWordTable.begin(), kWordTable.end(), text,
      [](const TableEntry& entry, std::string_view value) { return entry.text < value; });
  return it != kWordTable.end() && it->text == text
             ? static_cast<std::size_t>(it - kWordTable.begin())
             : kWordCount;
}

}  // namespace internal

// One word of the grammar, or none.
class Word {
 public:
  constexpr Word() = default;
  // Only words of the table, in capitals; anything else does not compile.
  // NOLINTNEXTLINE(google-explicit-constructor): like a literal.
  consteval Word(const char* text) : index_(checked(text)) {}

  // The word that `name` spells in any case, or none.
  static Word find(std::string_view name);

  [[nodiscard]] constexpr bool is_none() const { return index_ == kNone; }
  [[nodiscard]] constexpr bool is_reserved() const {
    return index_ != kNone && internal::kWordTable[index_].reserved;
  }
  // A reserved word that begins, ends or joins clauses: where it stands instead of an expression or
  // name, that is missing. Any other reserved word there was probably meant as a name.
  [[nodiscard]] bool is_clause() const;
  // In capitals; empty for none.
  [[nodiscard]] constexpr std::string_view text() const {
    return index_ == kNone ? std::string_view() : internal::kWordTable[index_].text;
  }

  friend constexpr bool operator==(Word, Word) = default;

 private:
  static constexpr std::uint16_t kNone = 0xFFFF;

  static consteval std::uint16_t checked(const char* text) {
    const std::size_t index = internal::find_word(text);
    if (index == internal::kWordCount) throw "not a word of the grammar";  // Fails the compilation.
    return static_cast<std::uint16_t>(index);
  }

  std::uint16_t index_ = kNone;
};

}  // namespace clepsydra::grammar
