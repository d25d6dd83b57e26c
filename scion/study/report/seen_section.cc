// Error rates on sentences that also occur in training, and on new ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

// Final WER of an arm on the utterances that are (`among`) or are not among `ids`.
std::string part_rate(const ReportContext& context, const Curve& curve,
                      const std::set<std::string>& ids, bool among) {
  double errors = 0, words = 0;
  for (const ResultRow& row : context.report().rows) {
    if (row.budget != curve.budget || row.set != curve.set || row.arm != curve.arm ||
        row.weights != Weights::raw || std::abs(row.epoch - curve.points.back().epoch) > 1e-6)
      continue;
    for (const UtteranceErrors& utterance : row.utterances)
      if (ids.contains(utterance.id) == among) {
        errors += static_cast<double>(utterance.errors);
        words += static_cast<double>(utterance.words);
      }
  }
  return words > 0 ? context.rate(100 * errors / words) : "–";
}

}  // namespace

Section seen_section(const ReportContext& context) {
  Section section{
      "seen",
      "Sentences that also occur in training",
      "Some sentences of a test set also occur in the training data, spoken by others. A "
      "model may have memorised them, so they are reported separately: WER in percent at "
      "the last evaluation.",
      {},
      {}};
  for (const ReportContext::SetCurves& here : context.set_curves()) {
    const auto seen = context.report().seen_sentences.find(here.set);
    if (seen == context.report().seen_sentences.end() || seen->second.empty()) continue;
    Table table{context.set_text(here.budget, here.set),
                {"arm", "all", fmt::format("also in training ({})", seen->second.size()), "new"},
                {}};
    add_by_factor(context, table, [&](const std::string& arm) {
      const Curve* curve = here.curve(arm);
      if (curve == nullptr) return;
      table.rows.push_back({{context.label(arm)},
                            {context.rate(curve->points.back().wer)},
                            {part_rate(context, *curve, seen->second, true)},
                            {part_rate(context, *curve, seen->second, false)}});
    });
    section.tables.push_back(table);
  }
  return section;
}

}  // namespace scion
