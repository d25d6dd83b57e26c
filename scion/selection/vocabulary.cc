#include "scion/selection/vocabulary.h"

namespace scion {

Indices match_pieces(const Tokenizer& teacher, const Tokenizer& student) {
  std::map<std::string, int64_t> labels;
  for (int64_t id = 1; id < teacher.size(); ++id) labels.emplace(teacher.piece(id), id);
  Indices matched = {0};
  for (int64_t id = 1; id < student.size(); ++id) {
    const auto found = labels.find(student.piece(id));
    matched.push_back(found == labels.end() ? -1 : found->second);
  }
  return matched;
}

}  // namespace scion
