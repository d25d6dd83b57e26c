// Starts a model of half the layers from a trained one: select_student TEACHER STUDENT
#include <scion/core/error.h>
#include <scion/model/model_file.h>
#include <scion/selection/plan.h>
#include <scion/selection/rules.h>
#include <scion/selection/student.h>

#include <cstdio>
#include <nlohmann/json.hpp>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s TEACHER STUDENT\n", argv[0]);
    return 2;
  }
  try {
    const scion::ModelFile teacher = scion::load_model(argv[1]);
    scion::ModelConfig config = teacher.model->config();
    config.conformer.layers /= 2;
    scion::StudentRecipe recipe;
    recipe.rule_set = "paper";
    recipe.rules = scion::make_rules("paper", {{"layers", "even-last"}}, "select_student");
    const scion::Student student = scion::make_student(teacher, config, recipe);
    std::printf("%s\n", scion::plan_shares(student.plan).to_text().c_str());
    scion::save_student(argv[2], student);
  } catch (const scion::Error& error) {
    std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return error.exit_status();
  }
  return 0;
}
