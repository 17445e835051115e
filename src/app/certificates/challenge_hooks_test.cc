// Hooks with the program runner and real scripts: here, as only this floor may join the two.
#include "services/upkeep/challenge_hooks.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "app/certificates/challenge_hook.h"
#include "drivers/files/scratch_folder.h"
#include "drivers/resolver/test_loop.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"

namespace tapal::upkeep {
namespace {

namespace fs = std::filesystem;

// What a hook is called with, and where it is told to work.
constexpr const char* noting_hook = R"(#!/bin/sh
printf '%s|' "$0" "$@" "$TOKEN" "$HOME" >>"$NOTES"
echo >>"$NOTES"
)";

// As acme.sh: functions for its scripts, and at the end what it was asked to do.
constexpr const char* acme_sh = R"(#!/usr/bin/env sh
_initpath() { test -d "$LE_WORKING_DIR" || exit 9; noise=1; echo "noise"; }
_err() { printf '%s\n' "$*" >&2; }
_saveaccountconf_mutable() { printf "SAVED_%s='%s'\n" "$1" "$2" >>"$LE_WORKING_DIR/account.conf"; }
main() {
  if [ -z "$1" ]; then echo "usage: acme.sh"; return 0; fi
  echo "main was asked to $*" >>"$NOTES"
}
main "$@"
)";
constexpr const char* dns_fake = R"(#!/usr/bin/env sh
dns_fake_add() {
  _saveaccountconf_mutable FAKE_Token "$FAKE_Token"
  printf 'add|%s|%s|%s\n' "$1" "$2" "$#" >>"$NOTES"
}
dns_fake_rm() {
  _err "first"
  _err "the token $FAKE_Token is refused"
  return 1
}
)";

class ChallengeHooks : public ::testing::Test {
 protected:
  static Task<void> into(Task<Result<void>> task, std::optional<Result<void>>& result) {
    result = co_await task;
  }
  Result<void> wait(Task<Result<void>> task) {
    std::optional<Result<void>> result;
    TaskGroup group;
    group.spawn(into(std::move(task), result));
    loop.run_until([&] { return result.has_value(); });
    return result.value_or(fail(Code::timed_out, "no end"));
  }
  std::string script(const fs::path& name, std::string_view text) const {
    const auto path = folder.write(name, text);
    fs::permissions(path, fs::perms(0700));
    return path;
  }
  HookOptions options() const {
    return {{"NOTES=" + notes.string(), "TOKEN=s3cret", "FAKE_Token=t0p-s3cret"},
            std::chrono::seconds(20)};
  }
  std::string noted() const { return files::ScratchFolder::read(notes); }

  TestLoop loop;
  WorkerPool pool{{.threads = 2, .name = "program"}};
  ProgramRunner programs{pool};
  files::ScratchFolder folder;
  fs::path notes = folder.path() / "notes";
};

TEST_F(ChallengeHooks, give_a_program_the_name_and_value_and_only_its_own_environment) {
  const auto path = script("hook", noting_hook);
  ProgramHook hook(path, options(), programs);
  ASSERT_TRUE(wait(hook.add(loop, "_acme-challenge.example.com", "a-b_C")));
  ASSERT_TRUE(wait(hook.remove(loop, "x.delegated.example", "$(id);`id`'\"")));
  EXPECT_EQ(noted(),
            path + "|add|_acme-challenge.example.com|a-b_C|s3cret||\n" +  //
                path + "|remove|x.delegated.example|$(id);`id`'\"|s3cret||\n");
}

TEST_F(ChallengeHooks, tell_what_a_failing_program_said_without_its_secrets) {
  ProgramHook hook(
      script("hook",
             "#!/bin/sh\necho out\necho one >&2\necho \"bad $TOKEN, $TOKEN\" >&2\nexit 3\n"),
      options(),
      programs);
  const auto added = wait(hook.add(loop, "_acme-challenge.example.com", "v"));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Code::try_later);
  EXPECT_EQ(added.error().what,
            "hook " + (folder.path() / "hook").string() + " failed (exit code 3): bad ***, ***");
}

TEST_F(ChallengeHooks, tell_of_a_program_that_is_missing_and_of_one_that_does_not_end) {
  ProgramHook missing(folder.path() / "none", options(), programs);
  EXPECT_EQ(wait(missing.add(loop, "_acme-challenge.example.com", "v")).error().code,
            Code::not_found);
  auto short_patience = options();
  short_patience.time_max = std::chrono::seconds(1);
  ProgramHook endless(script("endless", "#!/bin/sh\nexec sleep 100\n"), short_patience, programs);
  const auto added = wait(endless.add(loop, "_acme-challenge.example.com", "v"));
  EXPECT_EQ(added.error().code, Code::timed_out);
  EXPECT_TRUE(added.error().what.ends_with("did not end within 1 s")) << added.error().what;
}

TEST_F(ChallengeHooks, refuse_names_and_values_that_no_order_has) {
  ProgramHook hook(script("hook", noting_hook), options(), programs);
  for (const std::string name :
       {"", ".", "a..b", "a b", "-x/../y", "A.example", "a.example.", "a\n"})
    EXPECT_EQ(wait(hook.add(loop, name, "v")).error().code, Code::invalid) << name;
  for (const auto& value : {std::string(), std::string("a b"), std::string(256, 'a')})
    EXPECT_EQ(wait(hook.add(loop, "a.example", value)).error().code, Code::invalid) << value;
  EXPECT_EQ(noted(), "");
}

TEST_F(ChallengeHooks, run_the_functions_of_an_acme_sh_script) {
  fs::create_directory(folder.path() / "home");
  const auto home = (folder.path() / "home").string();
  const auto main = script("acme/acme.sh", acme_sh);
  script("acme/dnsapi/dns_fake.sh", dns_fake);
  auto hook = AcmeShHook::from_script({main, "dns_fake", home}, options(), programs).value();
  ASSERT_TRUE(wait(hook.add(loop, "_acme-challenge.example.com", "a-$(id)'\"")));
  EXPECT_EQ(noted(), "add|_acme-challenge.example.com|a-$(id)'\"|2\n");
  EXPECT_EQ(files::ScratchFolder::read(home + "/account.conf"), "SAVED_FAKE_Token='t0p-s3cret'\n");
  EXPECT_EQ(fs::status(home + "/account.conf").permissions(), fs::perms(0600));

  const auto removed = wait(hook.remove(loop, "_acme-challenge.example.com", "v"));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().what,
            "acme.sh dns_fake failed (exit code 1): the token *** is refused");
}

TEST_F(ChallengeHooks, let_acme_sh_scripts_write_nothing_but_challenges) {
  const auto main = script("acme/acme.sh", acme_sh);
  script("acme/dnsapi/dns_fake.sh", dns_fake);
  auto hook =
      AcmeShHook::from_script({main, "dns_fake", folder.path()}, options(), programs).value();
  for (const auto* name : {"example.com", "_dmarc.example.com", "x._acme-challenge.example.com"}) {
    EXPECT_EQ(wait(hook.add(loop, name, "v")).error().code, Code::invalid) << name;
    EXPECT_EQ(wait(hook.remove(loop, name, "v")).error().code, Code::invalid) << name;
  }
  EXPECT_EQ(noted(), "");
}

TEST_F(ChallengeHooks, tell_of_an_acme_sh_or_script_that_is_not_there) {
  const auto main = script("acme/acme.sh", acme_sh);
  auto no_script =
      AcmeShHook::from_script({main, "dns_none", folder.path()}, options(), programs).value();
  EXPECT_EQ(wait(no_script.add(loop, "_acme-challenge.example.com", "v")).error().code,
            Code::try_later);
  auto no_acme =
      AcmeShHook::from_script({"/none/acme.sh", "dns_fake", folder.path()}, options(), programs)
          .value();
  EXPECT_TRUE(wait(no_acme.add(loop, "_acme-challenge.example.com", "v"))
                  .error()
                  .what.contains("/none/acme.sh"));
}

TEST_F(ChallengeHooks, have_plain_names) {
  EXPECT_EQ(hook_path("/etc/tapal/dns-hooks", "my-dns_1.sh").value(),
            "/etc/tapal/dns-hooks/my-dns_1.sh");
  for (const auto* name : {"", ".", "..", ".x", "-x", "a/b", "../x", "a b"})
    EXPECT_FALSE(hook_path("/etc/tapal/dns-hooks", name)) << name;
  for (const auto* name : {"", "cf", "dns_", "dns_../x", "dns_a b", "dns_a;b", "dns_a.sh"})
    EXPECT_EQ(AcmeShHook::from_script({"/a/acme.sh", name, "/b"}, {}, programs).has_value(),
              std::string_view(name) == "dns_")
        << name;
  EXPECT_FALSE(AcmeShHook::from_script({"acme.sh", "dns_cf", "/b"}, {}, programs));
  EXPECT_FALSE(AcmeShHook::from_script({"/a/acme.sh", "dns_cf", "b"}, {}, programs));
}

TEST_F(ChallengeHooks, come_from_the_settings_with_the_environment_of_a_file) {
  const app::HookFolders folders{folder.path() / "config", folder.path() / "data"};
  app::ChallengeHookSettings settings;
  EXPECT_EQ(app::make_challenge_hook(settings, folders, programs).value(), nullptr);
  script("config/dns-hooks/mine", noting_hook);
  settings.program = "mine";
  settings.environment_file = folder.write(
      "env", "# mine\n\nexport TOKEN='s3 cret'\nNOTES=" + notes.string() + "\r\nHOME=\"/h\"\n");
  auto hook = app::make_challenge_hook(settings, folders, programs);
  ASSERT_TRUE(hook) << hook.error().what;
  ASSERT_TRUE(wait((*hook)->add(loop, "_acme-challenge.example.com", "v")));
  EXPECT_TRUE(noted().ends_with("|add|_acme-challenge.example.com|v|s3 cret|/h|\n")) << noted();

  settings = {.acme_sh = script("acme/acme.sh", acme_sh),
              .acme_sh_script = "dns_fake",
              .environment_file = settings.environment_file};
  script("acme/dnsapi/dns_fake.sh", dns_fake);
  hook = app::make_challenge_hook(settings, folders, programs);
  ASSERT_TRUE(hook) << hook.error().what;
  EXPECT_TRUE(wait((*hook)->add(loop, "_acme-challenge.example.com", "v")));
  EXPECT_EQ(fs::status(folders.data / "acme.sh").permissions(), fs::perms(0700));
}

TEST_F(ChallengeHooks, that_cannot_be_made_say_which_setting_is_wrong) {
  const app::HookFolders folders{folder.path() / "config", folder.path() / "data"};
  const auto open_file = folder.write("open", "A=1\n");
  fs::permissions(open_file, fs::perms::group_read, fs::perm_options::add);
  const auto told = [&](app::ChallengeHookSettings settings) {
    const auto made = app::make_challenge_hook(settings, folders, programs);
    return made ? "" : made.error().what;
  };
  EXPECT_EQ(told({.program = "a", .acme_sh_script = "dns_b"}),
            "acme.dns_hook and acme.dns_script exclude each other");
  EXPECT_TRUE(told({.program = "none"}).contains("dns-hooks/none is not there"));
  EXPECT_TRUE(told({.program = "../x"}).contains("is no name of a hook"));
  EXPECT_TRUE(told({.program = "a", .environment_file = open_file}).contains("chmod 600"));
  EXPECT_TRUE(told({.program = "a", .environment_file = folder.write("bad", "A=1\ns3cret\n")})
                  .ends_with("bad line 2: expected NAME=value"));
  EXPECT_TRUE(told({.acme_sh_script = "dns_cf"}).contains("where is your acme.sh?"));
}

}  // namespace
}  // namespace tapal::upkeep
