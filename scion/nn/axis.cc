#include "scion/nn/axis.h"

#include <numeric>

#include "scion/core/error.h"

namespace scion {

Axis Axis::leaf(std::string name, int64_t size, Role role) {
  Axis axis;
  axis.form_ = Form::leaf;
  axis.name_ = std::move(name);
  axis.size_ = size;
  axis.role_ = role;
  return axis;
}

Axis Axis::fixed(int64_t size, std::string name) {
  Axis axis;
  axis.name_ = std::move(name);
  axis.size_ = size;
  return axis;
}

Axis Axis::taps(std::string name, int64_t size, Anchor anchor) {
  Axis axis;
  axis.form_ = Form::taps;
  axis.name_ = std::move(name);
  axis.size_ = size;
  axis.anchor_ = anchor;
  return axis;
}

Axis Axis::labels(int64_t size) {
  Axis axis;
  axis.form_ = Form::labels;
  axis.name_ = "vocabulary";
  axis.size_ = size;
  return axis;
}

Axis Axis::product(Axis outer, Axis inner) {
  Axis axis;
  axis.form_ = Form::product;
  axis.size_ = outer.size() * inner.size();
  axis.parts_ = std::make_shared<const std::vector<Axis>>(
      std::vector<Axis>{std::move(outer), std::move(inner)});
  return axis;
}

Axis Axis::concat(std::vector<Axis> parts) {
  Axis axis;
  axis.form_ = Form::concat;
  for (const Axis& part : parts) axis.size_ += part.size();
  axis.parts_ = std::make_shared<const std::vector<Axis>>(std::move(parts));
  return axis;
}

int64_t Axis::fan() const { return form_ == Form::concat ? parts().front().fan() : size_; }

void Axis::visit_leaves(const std::function<void(const Axis&)>& visit) const {
  if (form_ == Form::leaf) visit(*this);
  if (parts_)
    for (const Axis& part : *parts_) part.visit_leaves(visit);
}

std::string Axis::to_string(Names names) const {
  switch (form_) {
    case Form::leaf:
    case Form::taps:
    case Form::labels: {
      const size_t first = names == Names::full ? 0 : name_.rfind('.') + 1;  // npos + 1 is 0
      return fmt::format("{}({})", name_.substr(first), size_);
    }
    case Form::fixed:
      return name_.empty() ? std::to_string(size_) : fmt::format("{} ({})", name_, size_);
    case Form::product:
      return parts()[0].to_string(names) + " × " + parts()[1].to_string(names);
    case Form::concat: {
      std::vector<std::string> texts;
      for (const Axis& part : parts()) texts.push_back(part.to_string(names));
      return fmt::format("[{}]", fmt::join(texts, " | "));
    }
  }
  return "";
}

namespace {

Indices same_indices(const Axis& teacher, const Axis& student) {
  if (teacher.size() != student.size() || teacher.name() != student.name())
    throw UserError(fmt::format("a dimension that is never selected has size {} in the teacher "
                                "and {} in the student",
                                teacher.to_string(), student.to_string()),
                    "give both models the same features and subsampling");
  Indices indices(static_cast<size_t>(student.size()));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Indices resolve_product(const Axis& teacher, const Axis& student, const AxisChoice& choice) {
  const Indices outer = resolve_indices(teacher.parts()[0], student.parts()[0], choice);
  const Indices inner = resolve_indices(teacher.parts()[1], student.parts()[1], choice);
  const int64_t inner_size = teacher.parts()[1].size();
  Indices indices;
  for (const int64_t o : outer)
    for (const int64_t i : inner) indices.push_back(o < 0 || i < 0 ? -1 : o * inner_size + i);
  return indices;
}

Indices resolve_concat(const Axis& teacher, const Axis& student, const AxisChoice& choice) {
  if (teacher.parts().size() != student.parts().size())
    throw UserError(fmt::format("the teacher stacks {}, the student {}", teacher.to_string(),
                                student.to_string()),
                    "select between models of the same kind");
  Indices indices;
  int64_t offset = 0;
  for (size_t p = 0; p < student.parts().size(); ++p) {
    for (const int64_t i : resolve_indices(teacher.parts()[p], student.parts()[p], choice))
      indices.push_back(i < 0 ? -1 : offset + i);
    offset += teacher.parts()[p].size();
  }
  return indices;
}

}  // namespace

Indices resolve_indices(const Axis& teacher, const Axis& student, const AxisChoice& choice) {
  if (teacher.form() != student.form())
    throw UserError(fmt::format("the teacher's dimension is {}, the student's {}",
                                teacher.to_string(), student.to_string()),
                    "select between models of the same kind");
  switch (student.form()) {
    case Axis::Form::leaf:
    case Axis::Form::taps:
    case Axis::Form::labels:
      return choice(teacher, student);
    case Axis::Form::fixed:
      return same_indices(teacher, student);
    case Axis::Form::product:
      return resolve_product(teacher, student, choice);
    case Axis::Form::concat:
      return resolve_concat(teacher, student, choice);
  }
  return {};
}

}  // namespace scion
