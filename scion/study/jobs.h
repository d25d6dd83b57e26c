// Runs as child processes, several at a time; each can be repeated by hand with its command.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scion {

/// One training run of a study.
struct Job {
  std::string name;                      ///< "xavier full seed 1"
  std::filesystem::path directory;       ///< of the run; its output is appended to log.txt in it
  std::vector<std::string> command;      ///< program and arguments
  std::vector<std::string> after;        ///< names of jobs that must finish first
  std::function<void()> prepare;         ///< called in this process before the start
  std::function<std::string()> changed;  ///< difference from the run in the folder; "": none
  std::function<bool()> done;            ///< true if the result of the job exists
  std::function<double()> progress;      ///< share done, 0 … 1; cheap to call
  int64_t places = 1;                    ///< of the `at_once` places, how many it takes
  double cost = 1;                       ///< of the whole job, in a unit common to all jobs
};

/// UserError naming the jobs whose existing runs have other settings.
void check_unchanged(const std::vector<Job>& jobs);

/// Runs the jobs in the order of the list, in `at_once` places, with one progress line. A job waits
/// for as many free places as it takes, and those after it in the list wait with it. Children
/// are killed if this process ends. If a job fails, the others are stopped: Failure with the end of
/// its log.
void run_jobs(std::vector<Job> jobs, int64_t at_once);

}  // namespace scion
