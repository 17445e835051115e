#include "services/judge/rspamd.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

Result<Opinion> opinion_of(std::string body, int status = 200) {
  return rspamd_opinion({status, {}, std::move(body)});
}

TEST(RspamdRequest, tells_the_facts) {
  auto mail = test_mail();
  mail.helo = "helo\r\nX: y";
  mail.user = "ann";
  mail.tls_version = "TLSv1.3";
  const auto request = rspamd_request(
      mail, {"http://127.0.0.1:11333/", std::chrono::seconds(9), "mail.rcpt.example"});
  EXPECT_EQ(request.url, "http://127.0.0.1:11333/checkv2");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.time_max, std::chrono::seconds(9));
  EXPECT_EQ(request.body, "From: ann\r\nSubject: hi\r\n\r\n");
  EXPECT_EQ(text_of(request.more), "Hello\r\n");
  const std::vector<http::Header> headers = {{"IP", "8.8.4.4"},
                                             {"Helo", "helo??X: y"},
                                             {"From", "<ann@sender.example>"},
                                             {"Rcpt", "<bob@rcpt.example>"},
                                             {"Rcpt", "<eve@rcpt.example>"},
                                             {"Queue-Id", "0000000000001"},
                                             {"User", "ann"},
                                             {"TLS-Version", "TLSv1.3"},
                                             {"MTA-Name", "mail.rcpt.example"},
                                             {"Flags", "milter"}};
  EXPECT_EQ(request.headers, headers);
}

TEST(RspamdRequest, finds_the_path_behind_any_url) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"http://a:1", "http://a:1/checkv2"},
      {"http://a/rspamd/", "http://a/rspamd/checkv2"},
      {"http+unix:///run/x.sock", "http+unix:///run/x.sock:/checkv2"},
      {"http+unix:///run/x.sock:/", "http+unix:///run/x.sock:/checkv2"},
      {"http+unix:///run/x.sock:/a", "http+unix:///run/x.sock:/a/checkv2"},
  };
  for (const auto& [url, result] : cases)
    EXPECT_EQ(rspamd_request(test_mail(), {url, {}, ""}).url, result);
}

struct ActionCase {
  const char* body;
  Action action;
  const char* reply;
  const char* header;  // what becomes of "Subject: hi"
};

TEST(RspamdOpinion, follows_the_action) {
  const std::vector<ActionCase> cases = {
      {R"({"action":"no action","score":1})", Action::accept, "", "Subject: hi\r\n"},
      {R"({"action":"greylist"})", Action::accept, "", "Subject: hi\r\n"},
      {R"({"action":"something new"})", Action::accept, "", "Subject: hi\r\n"},
      {R"({"action":"reject"})",
       Action::refuse,
       "554 5.7.1 this message looks like spam",
       "Subject: hi\r\n"},
      {R"({"action":"reject","messages":{"smtp_message":"Gtube\npattern"}})",
       Action::refuse,
       "554 5.7.1 Gtube\\\\x0Apattern",
       "Subject: hi\r\n"},
      {R"({"action":"soft reject","messages":{"smtp_message":"Try again later"}})",
       Action::defer,
       "451 4.7.1 Try again later",
       "Subject: hi\r\n"},
      {R"({"action":"discard"})", Action::discard, "", "Subject: hi\r\n"},
      {R"({"action":"quarantine"})", Action::keep_aside, "", "Subject: hi\r\n"},
      {R"({"action":"add header"})", Action::keep_aside, "", "Subject: hi\r\nX-Spam: Yes\r\n"},
      {R"({"action":"rewrite subject","subject":"*** SPAM *** hi"})",
       Action::keep_aside,
       "",
       "Subject: *** SPAM *** hi\r\n"},
      {R"({"action":"rewrite subject","subject":"a\r\nBcc: x"})",
       Action::keep_aside,
       "",
       "Subject: a  Bcc: x\r\n"},
      {R"({"action":"rewrite subject"})", Action::keep_aside, "", "Subject: hi\r\n"},
      {R"({"action":"no action","milter":{"add_headers":{"A":{"value":"1","order":0},"B":"2","C":{"value":"3","order":-1},"D":[{"value":"4","order":1},"5"]},"remove_headers":{"subject":0}}})",
       Action::accept,
       "",
       "A: 1\r\nD: 4\r\nB: 2\r\nC: 3\r\nD: 5\r\n"},
      {R"({"action":"no action","milter":{"add_headers":{"not a name":"1"},"remove_headers":{"X":"odd","Subject":[1,2]}}})",
       Action::accept,
       "",
       ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.body);
    const auto opinion = opinion_of(c.body);
    ASSERT_TRUE(opinion) << opinion.error().what;
    EXPECT_EQ(opinion->action, c.action);
    EXPECT_EQ(opinion->reply.code == 0 ? "" : smtp::one_line(opinion->reply), c.reply);
    EXPECT_EQ(mail::edit_header("Subject: hi\r\n", opinion->edits), c.header);
  }
}

TEST(RspamdOpinion, names_the_heaviest_symbols) {
  const auto opinion = opinion_of(
      R"({"action":"reject","score":15.5,"required_score":15,"symbols":{"LOW":{"score":0.5},"HIGH":{"score":9},"B":{"score":3},"A":{"score":3},"GOOD":{"score":-1},"NONE":{}}})");
  ASSERT_TRUE(opinion);
  EXPECT_EQ(opinion->reason, "score 15.50 of 15.00: HIGH, A, B, LOW");
  EXPECT_EQ(opinion->score, 15.5);
}

TEST(RspamdOpinion, is_none_where_the_answer_is_none) {
  for (const std::string body : {"", "{", "[]", "{}", R"({"action":1})", R"({"action":"reject")"}) {
    SCOPED_TRACE(body);
    EXPECT_FALSE(opinion_of(body));
  }
  EXPECT_FALSE(opinion_of(std::string(100'000, '[')));
  EXPECT_EQ(opinion_of("no", 403).error().what, "it answers 403: no");
}

}  // namespace
}  // namespace tapal::judge
