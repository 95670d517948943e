/* What the search finds first: pages that answer a question, and last those that tell how it is made.

   The numbers are those that Sphinx uses if there is no such file, but for score(). */
const FIRST = /^docs\/(needs\/|how-to|first-day|deploy|troubleshooting)/;
const LAST = /^(CHANGELOG|CONTRIBUTING|benchmarks\/|native\/|docs\/(protocol|design\/|measurements\/))/;

var Scorer = {
  score: ([page, , , , score]) => score + (FIRST.test(page) ? 15 : 0) - (LAST.test(page) ? 40 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
