// Hooks of the user's own that show challenge texts in DNS where we know no API: a program, or a
// script made for acme.sh. They get no other record to write: many of those scripts would spoil it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "ports/challenge_texts.h"
#include "ports/programs.h"

namespace tapal::upkeep {

struct HookOptions {
  std::vector<std::string> environment;  // "NAME=value": credentials, which errors never show
  std::chrono::seconds time_max{300};    // some scripts wait and try again themselves
};

// Where the hook `name` of the folder is. Code::invalid for a name that would lead out of it.
Result<std::string> hook_path(std::string_view folder, std::string_view name);

// Runs `program add|remove NAME VALUE`; exit code 0 is success. NAME has no final dot.
class ProgramHook final : public ChallengeTexts {
 public:
  // `program` is an absolute path. `programs` must outlive this.
  ProgramHook(std::string program, HookOptions options, Programs& programs)
      : program_(std::move(program)), options_(std::move(options)), programs_(programs) {}

  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override {
    return run(loop, "add", std::move(name), std::move(value));
  }
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override {
    return run(loop, "remove", std::move(name), std::move(value));
  }

 private:
  Task<Result<void>> run(Loop& loop,
                         std::string_view operation,  // a literal
                         std::string name,
                         std::string value);
  std::string program_;
  HookOptions options_;
  Programs& programs_;
};

struct AcmeShScript {
  std::string acme_sh;  // path of the user's own acme.sh; its folder has dnsapi/
  std::string name;     // "dns_cf": dnsapi/dns_cf.sh, which has dns_cf_add and dns_cf_rm
  std::string home;     // a folder of ours where such scripts keep what they remember, as secret
};

// Runs the functions of one dnsapi script, for names that begin with _acme-challenge only: some
// of them remove every text of a name, whatever its value.
class AcmeShHook final : public ChallengeTexts {
 public:
  // Code::invalid says which part of `script` is wrong. `programs` must outlive it.
  static Result<AcmeShHook> from_script(AcmeShScript script,
                                        HookOptions options,
                                        Programs& programs);

  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override {
    return run(loop, "add", std::move(name), std::move(value));
  }
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override {
    return run(loop, "rm", std::move(name), std::move(value));
  }

 private:
  AcmeShHook(AcmeShScript script, HookOptions options, Programs& programs)
      : script_(std::move(script)), options_(std::move(options)), programs_(programs) {}
  Task<Result<void>> run(Loop& loop,
                         std::string_view operation,  // a literal
                         std::string name,
                         std::string value);

  AcmeShScript script_;
  HookOptions options_;
  Programs& programs_;
};

}  // namespace tapal::upkeep
