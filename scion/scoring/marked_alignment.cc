#include "scion/scoring/marked_alignment.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>

#include "scion/text/utf8.h"

namespace scion {
namespace {

// A word between two nodes, or a way that holds none.
struct Arc {
  size_t from;
  std::string word;
  bool optional = false, empty = false;
  bool beginning = false, ending = false;  // a fragment: the word's beginning or end
  int32_t number = 0;                      // equal words have equal numbers
};

// A text's wordings: the ways from node 0 to the last node. An arc comes from a lower node.
struct Graph {
  std::vector<std::vector<Arc>> arriving{{}};  // [node]

  size_t add_node(Arc arc) {
    arriving.push_back({std::move(arc)});
    return arriving.size() - 1;
  }
};

class GraphMaker {
 public:
  GraphMaker(Graph& graph, const MarkedAlignmentOptions& options)
      : graph_(graph), options_(options) {}

  // Appends a text after `node`; returns the node at its end.
  size_t append(const MarkedText& text, size_t node) {
    for (const MarkedWord& word : text)
      node = word.alternatives.empty() ? append(word, node) : append(word.alternatives, node);
    return node;
  }

 private:
  size_t append(const MarkedWord& word, size_t node) {
    const std::string& raw = word.word;
    const bool fragment = options_.fragments && raw.size() > 1;
    const bool ending = fragment && raw.front() == '-';
    const bool beginning = fragment && !ending && raw.back() == '-';
    const std::string_view kept =
        std::string_view(raw).substr(ending ? 1 : 0, raw.size() - (ending || beginning ? 1 : 0));
    const std::vector<std::string> parts = split_words(normalise_text(kept, options_.text));
    for (size_t i = 0; i < parts.size(); ++i)
      node = graph_.add_node({.from = node,
                              .word = parts[i],
                              .optional = word.optional,
                              .beginning = beginning && i + 1 == parts.size(),
                              .ending = ending && i == 0});
    return node;
  }

  size_t append(const std::vector<MarkedText>& alternatives, size_t node) {
    std::vector<size_t> ends;
    for (const MarkedText& alternative : alternatives) ends.push_back(append(alternative, node));
    const size_t joined = graph_.add_node({.from = ends[0], .empty = true});
    for (size_t i = 1; i < ends.size(); ++i)
      graph_.arriving[joined].push_back({.from = ends[i], .empty = true});
    return joined;
  }

  Graph& graph_;
  const MarkedAlignmentOptions& options_;
};

Graph graph_of(const MarkedText& text, const MarkedAlignmentOptions& options) {
  Graph graph;
  GraphMaker(graph, options).append(text, 0);
  return graph;
}

void number_words(Graph& reference, Graph& hypothesis) {
  std::unordered_map<std::string_view, int32_t> numbers;
  for (Graph* graph : {&reference, &hypothesis})
    for (std::vector<Arc>& arcs : graph->arriving)
      for (Arc& arc : arcs)
        arc.number = numbers.emplace(arc.word, static_cast<int32_t>(numbers.size())).first->second;
}

// Of a fragment and a word; the reference's kind decides where both are fragments, as in sclite.
bool are_equal(const Arc& reference, const Arc& hypothesis) {
  if (reference.beginning) return hypothesis.word.starts_with(reference.word);
  if (reference.ending) return hypothesis.word.ends_with(reference.word);
  if (hypothesis.beginning) return reference.word.starts_with(hypothesis.word);
  if (hypothesis.ending) return reference.word.ends_with(hypothesis.word);
  return reference.number == hypothesis.number;
}

// sclite's costs; before them, for levenshtein, errors and hits: one number, smaller if better.
struct Costs {
  int64_t hit = 0, substitution = 4, gap = 3, omission = 2;

  Costs(AlignmentCosts costs, const Graph& reference, const Graph& hypothesis) {
    if (costs == AlignmentCosts::nist) return;
    const auto words = static_cast<int64_t>(reference.arriving.size() + hypothesis.arriving.size());
    const int64_t one_hit = 4 * words + 1, one_error = words * one_hit;
    hit -= one_hit;
    substitution += one_error;
    gap += one_error;
  }
  int64_t of_deletion(const Arc& arc) const { return arc.optional ? omission : gap; }
};

class Lattice {
 public:
  Lattice(const Graph& reference, const Graph& hypothesis, AlignmentCosts costs)
      : reference_(reference),
        hypothesis_(hypothesis),
        costs_(costs, reference, hypothesis),
        width_(hypothesis.arriving.size()),
        cells_(reference.arriving.size() * width_) {
    for (size_t i = 0; i < reference.arriving.size(); ++i)
      for (size_t j = 0; j < width_; ++j)
        if (i > 0 || j > 0) cells_[i * width_ + j] = best_step(i, j).cost;
  }

  // Edits of the best path, from its start to its end.
  MarkedAlignment best_path() const {
    std::vector<Step> steps;
    for (size_t i = reference_.arriving.size() - 1, j = width_ - 1; i > 0 || j > 0;) {
      steps.push_back(best_step(i, j));
      if (steps.back().reference != nullptr) i = steps.back().reference->from;
      if (steps.back().hypothesis != nullptr) j = steps.back().hypothesis->from;
    }
    MarkedAlignment result;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) add(*step, result);
    return result;
  }

 private:
  // The last arcs of a best path to a pair of nodes; null where that side stays.
  struct Step {
    int64_t cost;
    const Arc* reference;
    const Arc* hypothesis;
  };

  int64_t cell(size_t i, size_t j) const { return cells_[i * width_ + j]; }

  // Of equal steps sclite's choice: both words, then an insertion, then a deletion.
  Step best_step(size_t i, size_t j) const {
    Step best{std::numeric_limits<int64_t>::max(), nullptr, nullptr};
    const auto offer = [&](int64_t cost, const Arc* reference, const Arc* hypothesis) {
      if (cost < best.cost) best = {cost, reference, hypothesis};
    };
    for (const Arc& r : reference_.arriving[i]) {
      if (r.empty) offer(cell(r.from, j), &r, nullptr);
      for (const Arc& h : hypothesis_.arriving[j])
        if (!r.empty && !h.empty)
          offer(cell(r.from, h.from) + (are_equal(r, h) ? costs_.hit : costs_.substitution), &r,
                &h);
    }
    for (const Arc& h : hypothesis_.arriving[j])
      offer(cell(i, h.from) + (h.empty ? 0 : costs_.gap), nullptr, &h);
    for (const Arc& r : reference_.arriving[i])
      if (!r.empty) offer(cell(r.from, j) + costs_.of_deletion(r), &r, nullptr);
    return best;
  }

  static void add(const Step& step, MarkedAlignment& result) {
    const Arc* r = step.reference;
    const Arc* h = step.hypothesis;
    if ((r != nullptr && r->empty) || (h != nullptr && h->empty)) return;
    const auto shown = [](const Arc* arc) {
      if (arc == nullptr) return std::string();
      const std::string word = (arc->ending ? "-" : "") + arc->word + (arc->beginning ? "-" : "");
      return arc->optional ? '(' + word + ')' : word;
    };
    Edit edit = Edit::insertion;
    if (r != nullptr) edit = r->optional ? Edit::hit : Edit::deletion;
    if (r != nullptr && h != nullptr) edit = are_equal(*r, *h) ? Edit::hit : Edit::substitution;
    result.words.push_back({edit, shown(r), shown(h)});
    const auto append = [](std::string& text, const Arc& arc) {
      text += (text.empty() ? "" : " ") + arc.word;
    };
    if (r != nullptr && (h != nullptr || !r->optional)) append(result.reference, *r);
    if (h != nullptr) append(result.hypothesis, *h);
  }

  const Graph& reference_;
  const Graph& hypothesis_;
  Costs costs_;
  size_t width_;
  std::vector<int64_t> cells_;
};

}  // namespace

MarkedAlignment align(const MarkedText& reference, const MarkedText& hypothesis,
                      const MarkedAlignmentOptions& options) {
  Graph references = graph_of(reference, options), hypotheses = graph_of(hypothesis, options);
  number_words(references, hypotheses);
  return Lattice(references, hypotheses, options.costs).best_path();
}

}  // namespace scion
