#include "scion/selection/rules.h"

#include <numeric>

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/core/random.h"

namespace scion {
namespace {

// linspace(0, last, count)[i] in float32, as torch's scalar kernel computes it: from the nearer
// end, so that both ends are exact.
float linspace(int64_t last, int64_t count, int64_t i) {
  const float end = static_cast<float>(last);
  const float step = end / static_cast<float>(count - 1);
  return i < count / 2 ? step * static_cast<float>(i)
                       : end - step * static_cast<float>(count - 1 - i);
}

// From 0 to teacher − 1, rounded half to even.
Indices spread_indices(int64_t teacher, int64_t student) {
  Indices indices;
  for (int64_t i = 0; i < student; ++i)
    indices.push_back(static_cast<int64_t>(std::nearbyint(linspace(teacher - 1, student, i))));
  return indices;
}

Indices consecutive(int64_t first, int64_t count) {
  Indices indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return indices;
}

Indices drawn(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
              int64_t student) {
  Indices all = consecutive(0, teacher);
  Random random(static_cast<uint64_t>(rules.seed), RandomStream::selection, stable_hash(leaf));
  random.shuffle(all);
  all.resize(static_cast<size_t>(student));
  std::sort(all.begin(), all.end());
  return all;
}

const std::vector<std::string>& layer_rules() {
  static const std::vector<std::string> names = {"first", "last", "even", "even-last",
                                                 "drop-middle"};
  return names;
}

bool lists_layers(const std::string& rule) {
  return !rule.empty() && rule.find_first_not_of("0123456789,") == std::string::npos;
}

void check_layer_rule(const std::string& rule) {
  const auto& names = layer_rules();
  if (lists_layers(rule) || std::find(names.begin(), names.end(), rule) != names.end()) return;
  const std::string near = nearest_name(rule, names);
  throw UserError(
      fmt::format("unknown layer rule '{}'", rule),
      fmt::format("{}layer rules: {}, or a list of teacher layers such as 0,3,5",
                  near.empty() ? "" : "did you mean '" + near + "'? ", fmt::join(names, ", ")));
}

std::vector<int64_t> listed_layers(const std::string& rule, int64_t teacher, int64_t student) {
  std::vector<int64_t> layers;
  std::istringstream parts(rule);
  for (std::string part; std::getline(parts, part, ',');)
    layers.push_back(part.empty() || part.size() > 4 ? -1 : std::stoll(part));
  const bool ascend =
      std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) == layers.end();
  if (static_cast<int64_t>(layers.size()) != student || !ascend || layers.front() < 0 ||
      layers.back() >= teacher)
    throw UserError(fmt::format("layers {} do not fit a student of {} layers and a teacher of {}",
                                rule, student, teacher),
                    "name one teacher layer for each of the student's, ascending, from 0");
  return layers;
}

// `front` layers from the front, the rest from the end.
std::vector<int64_t> from_both_ends(int64_t teacher, int64_t student, int64_t front) {
  std::vector<int64_t> layers;
  for (int64_t i = 0; i < student; ++i) layers.push_back(i < front ? i : teacher - student + i);
  return layers;
}

}  // namespace

Indices even_indices(int64_t teacher, int64_t student) {
  if (teacher % student != 0) return spread_indices(teacher, student);
  Indices indices;
  for (int64_t i = 0; i < student; ++i) indices.push_back(i * (teacher / student));
  return indices;
}

void SelectionRules::declare(Options& options) {
  options.add("layers", layers,
              "teacher layers: first, last, even, even-last, drop-middle, or a list such as 0,3,5");
  options.add("elements", elements,
              "elements of each dimension: evenly spaced, the first, drawn at random, those with "
              "the largest weights, those with the largest activations on calibration audio");
  options.add("heads", heads,
              "attention heads: as wholes, spliced over heads and width, or as wholes by rank");
  options.add("taps", taps, "kernel taps: cropped at the ends, or evenly spaced");
  options.add("rescale", rescale,
              "rescale weights by the root of the teacher's over the student's fan-in");
  options.add("attention_scale", attention_scale,
              "rescale queries and keys of narrower heads for the new root of the width");
  options.add("per_tensor", per_tensor,
              "choose in every dimension of every tensor separately, as published; bit-equal to "
              "torch's scalar linspace");
  options.add("seed", seed, "seed of random choices and of the initialisation").range(0, 1e15);
  options.add("partial", partial,
              "parts of the model that stay random, e.g. encoder.layers.*.attention");
}

void SelectionRules::validate(const std::string& place) const {
  check_layer_rule(layers);
  if (per_tensor && (heads != HeadRule::whole || taps != TapRule::crop))
    throw UserError(fmt::format("{}: per_tensor excludes heads = {} and taps = {}", place,
                                word_of(heads), word_of(taps)),
                    "use heads = whole and taps = crop, or another rule set than published");
}

std::vector<std::string> rule_set_names() { return {"best", "paper", "published"}; }

SelectionRules named_rules(const std::string& name) {
  if (name == "best") return {.layers = "even-last", .elements = ElementRule::magnitude};
  if (name == "paper") return {};
  if (name == "published") return {.per_tensor = true};
  const std::string near = nearest_name(name, rule_set_names());
  throw UserError(
      fmt::format("unknown rule set '{}'", name),
      fmt::format("{}rule sets: {}", near.empty() ? "" : "did you mean '" + near + "'? ",
                  fmt::join(rule_set_names(), ", ")));
}

SelectionRules make_rules(const std::string& name, const nlohmann::json& options,
                          const std::string& place) {
  SelectionRules rules = named_rules(name);
  Options declared;
  rules.declare(declared);
  declared.load_json(options, place);
  rules.validate(place);
  return rules;
}

std::vector<int64_t> select_layers(const std::string& rule, int64_t teacher, int64_t student) {
  check_layer_rule(rule);
  if (student > teacher)
    throw UserError(fmt::format("the student has {} layers, the teacher {}", student, teacher),
                    "give the student at most as many layers as the teacher");
  if (lists_layers(rule)) return listed_layers(rule, teacher, student);
  if (rule == "first") return from_both_ends(teacher, student, student);
  if (rule == "last") return from_both_ends(teacher, student, 0);
  if (rule == "drop-middle") return from_both_ends(teacher, student, (student + 1) / 2);
  if (rule == "even") {
    std::vector<int64_t> layers;
    for (int64_t i = 0; i < student; ++i) layers.push_back(i * teacher / student);
    return layers;
  }
  if (student <= 1)
    return from_both_ends(teacher, student, 0);  // even-last: of one layer, the last
  std::vector<int64_t> layers;
  for (int64_t i = 0; i < student; ++i)
    layers.push_back((i * (teacher - 1) * 2 + student - 1) / (2 * (student - 1)));
  return layers;
}

Indices select_elements(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
                        int64_t student, const std::vector<double>& scores) {
  if (rules.elements == ElementRule::first) return consecutive(0, student);
  if (rules.elements == ElementRule::random) return drawn(rules, leaf, teacher, student);
  if (rules.elements == ElementRule::even) return even_indices(teacher, student);
  return highest(scores, student);
}

Indices highest(const std::vector<double>& scores, int64_t count) {
  const auto value = [&](int64_t i) {
    const double score = scores[static_cast<size_t>(i)];
    return std::isnan(score) ? -std::numeric_limits<double>::infinity() : score;
  };
  Indices order = consecutive(0, static_cast<int64_t>(scores.size()));
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return value(a) > value(b); });
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

Indices select_taps(const SelectionRules& rules, int64_t teacher, int64_t student,
                    Axis::Anchor anchor) {
  if (student > teacher)
    throw UserError(fmt::format("the student has {} taps, the teacher {}", student, teacher),
                    "give the student a kernel no longer than the teacher's");
  const int64_t dropped = teacher - student;
  if (anchor != Axis::Anchor::newest && dropped % 2 != 0)
    throw UserError(
        fmt::format("{} taps cannot be cropped to {} around the centre", teacher, student),
        "choose two odd kernel sizes");
  if (rules.taps == TapRule::even && anchor != Axis::Anchor::zero && student > 1)
    return spread_indices(teacher, student);  // both ends, and the centre of odd sizes
  return consecutive(anchor == Axis::Anchor::newest ? dropped : dropped / 2, student);
}

}  // namespace scion
