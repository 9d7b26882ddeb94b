#include "functions/special_forms.h"

namespace clepsydra {
namespace {

constexpr SpecialForm kForms[] = {
    {"Arithmetic", "+ numeric", "The number as it is.", "+ 5", "5"},
    {"Comparison", "value NOT IN (value, ...)",
     "FALSE when the value equals one of the list; NULL when it does not and one is NULL.",
     "4 NOT IN (1, 2)", "TRUE"},
    {"Comparison", "value [NOT] BETWEEN [ASYMMETRIC] low AND high",
     "Whether the value is at least the one and at most the other.", "5 BETWEEN 1 AND 5", "TRUE"},
    {"Comparison", "value [NOT] BETWEEN SYMMETRIC bound AND bound",
     "As BETWEEN, with the bounds in any order.", "5 BETWEEN SYMMETRIC 7 AND 1", "TRUE"},
    {"Conditions", "CASE value WHEN value THEN value ... [ELSE value] END",
     "The value behind the first one that is equal, else that of ELSE, else NULL.",
     "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"},
    {"Conditions", "NULLIF(value, value)", "NULL when both are equal, else the first.",
     "NULLIF(1, 2)", "1"},
    {"Conditions", "IF(condition, value, value)",
     "The first value when the condition is TRUE, else the second.", "IF(1 > 2, 'a', 'b')", "b"},
    {"Conversion", "TYPEOF(value [, force_serializable])", "The type of the value as text.",
     "TYPEOF(1.5)", "DECIMAL(2, 1) NOT NULL"},
    {"Patterns", "text NOT LIKE pattern [ESCAPE character]", "The opposite of LIKE.",
     "'abc' NOT LIKE 'b%'", "TRUE"},
    {"Patterns", "text NOT SIMILAR TO pattern [ESCAPE character]", "The opposite of SIMILAR TO.",
     "'abc' NOT SIMILAR TO '[ab]+'", "TRUE"},
    {"Date and time", "EXTRACT(unit FROM time)",
     "A part of a date, time, timestamp or interval, as a number. Units: MILLENNIUM, CENTURY, "
     "DECADE, YEAR, ISOYEAR, QUARTER, MONTH, WEEK, DAY, DOW, ISODOW, DOY, HOUR, MINUTE, SECOND, "
     "MILLISECOND, MICROSECOND, NANOSECOND, EPOCH.",
     "EXTRACT(DAY FROM DATE '2020-02-29')", "29"},
    {"Date and time", "YEAR(time)", "EXTRACT with the unit of the name.",
     "DAYOFYEAR(DATE '2020-02-01')", "32",
     "QUARTER MONTH WEEK DAYOFMONTH DAYOFWEEK DAYOFYEAR HOUR MINUTE SECOND"},
    {"Date and time", "FLOOR(time TO unit)",
     "The time rounded down to a whole unit, from MILLENNIUM to MILLISECOND.",
     "FLOOR(TIMESTAMP '2020-02-29 12:34:56' TO HOUR)", "2020-02-29 12:00:00"},
    {"Date and time", "CEIL(time TO unit)",
     "The time rounded up to a whole unit, from MILLENNIUM to MILLISECOND.",
     "CEIL(DATE '2020-02-29' TO MONTH)", "2020-03-01", "CEILING"},
    {"Date and time", "TIMESTAMPADD(unit, count, time)",
     "The time so many units later. Units: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND.",
     "TIMESTAMPADD(MONTH, 1, DATE '2020-01-31')", "2020-02-29"},
    {"Date and time", "TIMESTAMPDIFF(unit, from, to)",
     "The number of whole units from one time to another. Units as of TIMESTAMPADD.",
     "TIMESTAMPDIFF(DAY, DATE '2020-02-28', DATE '2020-03-01')", "2"},
    {"Date and time", "(time - time) DAY TO SECOND",
     "The interval between two times; also YEAR TO MONTH and the single units.",
     "(DATE '2020-03-01' - DATE '2020-02-28') DAY", "+2 00:00:00.000"},
    {"Date and time", "(start, end) OVERLAPS (start, end)",
     "Whether two periods have a time in common; an end may be an interval.",
     "(TIME '02:55:00', INTERVAL '1' HOUR) OVERLAPS (TIME '03:30:00', INTERVAL '2' HOUR)", "TRUE"},
    {"Writing JSON", "JSON(text)",
     "In JSON_OBJECT and JSON_ARRAY: the text is JSON already, and is not quoted.",
     "JSON_ARRAY(JSON('{\"a\":1}'))", "[{\"a\":1}]"},
    {"Hash codes and names", "CURRENT_DATABASE()", "The current database of the session.",
     "CURRENT_DATABASE()", "default_database"},
};

}  // namespace

std::span<const SpecialForm> special_forms() {
  return kForms;
}

}  // namespace clepsydra
