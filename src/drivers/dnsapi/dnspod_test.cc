#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/request_signature.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct DnspodTest : AccountTest {
  DnspodTest() {
    http.url = "https://dnspod.tencentcloudapi.com";
    http.headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}};
    open("dnspod", {{"secret_id", "AKID"}, {"secret_key", "s3cret"}});
  }
  void call(const std::string& action, const std::string& body, const std::string& response) {
    crypto::SignableRequest form;
    form.method = "POST";
    form.headers = {{"host", "dnspod.tencentcloudapi.com"}, {"content-type", "application/json"}};
    form.body_digest = crypto::sha256(body);
    auto& step = http.on("POST", "/", body);
    for (auto& [name, value] : crypto::sign_tencent(
             form, {"AKID", "s3cret"}, {"dnspod", action, "2021-03-23"}, loop.wall_now()))
      step.more.push_back({name, value});
    http.answer(200, R"({"Response":{)" + response + R"("RequestId":"r"}})");
  }
  void refuses(const std::string& action, const std::string& body, const std::string& code) {
    call(action, body, R"("Error":{"Code":")" + code + R"(","Message":"no"},)");
  }
  void zone() {
    call(
        "DescribeDomainList",
        R"({"Keyword":"example.com","Limit":3000})",
        R"("DomainList":[{"DomainId":7,"Name":"an-example.com"},{"DomainId":8,"Name":"example.com"}],)");
  }
  static std::string listing(const std::string& type, const std::string& name) {
    return R"({"Domain":"example.com","Subdomain":")" + name + R"(","RecordType":")" + type +
           R"(","Limit":3000})";
  }
  void lists(const std::string& type, const std::string& name, const std::string& records) {
    call("DescribeRecordList", listing(type, name), R"("RecordList":[)" + records + "],");
  }
  // No records are an error there.
  void lists_nothing(const std::string& type, const std::string& name) {
    refuses("DescribeRecordList", listing(type, name), "ResourceNotFound.NoDataOfRecord");
  }
  static std::string record(const std::string& type,
                            const std::string& name,
                            const std::string& rest) {
    return R"({"Domain":"example.com","SubDomain":")" + name + R"(","RecordType":")" + type +
           R"(","RecordLine":"默认","RecordLineId":"0",)" + rest + "}";
  }
};

TEST_F(DnspodTest, takes_the_zone_of_exactly_that_name) {
  refuses("DescribeDomainList",
          R"({"Keyword":"mail.example.com","Limit":3000})",
          "ResourceNotFound.NoDataOfDomain");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(DnspodTest, reads_what_everybody_is_answered) {
  zone();
  lists(
      "MX",
      "@",
      R"({"RecordId":1,"Value":"mail.example.com.","Status":"ENABLE","Line":"默认","LineId":"0","TTL":600,"MX":10},
           {"RecordId":2,"Value":"other.example.com.","Status":"ENABLE","Line":"境外","LineId":"3=0","TTL":600,"MX":5},
           {"RecordId":3,"Value":"off.example.com.","Status":"DISABLE","Line":"默认","LineId":"0","TTL":600,"MX":5})");
  EXPECT_EQ(read("example.com", Type::mx).value(),
            set("example.com", Type::mx, {"10 mail.example.com."}, 600));
  lists_nothing("TXT", "x");
  EXPECT_TRUE(read("x.example.com", Type::txt).value().data.empty());
}

TEST_F(DnspodTest, writes_every_type_it_has) {
  struct Case {
    Type type;
    const char* content;
    const char* value;
    const char* more;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", R"("192.0.2.1")", ""},
      {Type::mx, "10 m.example.com.", R"("m.example.com.")", R"(,"MX":10)"},
      {Type::txt, "\"v=DKIM1; p=a+b\"", R"("v=DKIM1; p=a+b")", ""},
      {Type::cname, "a.example.org.", R"("a.example.org.")", ""},
      {Type::srv, "0 1 465 m.example.com.", R"("0 1 465 m.example.com.")", ""},
      {Type::caa, "0 issue \"le.org\"", R"("0 issue \"le.org\"")", ""},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    const auto type = dns::type_text(c.type);
    lists_nothing(type, "x");
    call("CreateRecord",
         record(type, "x", R"("Value":)" + std::string(c.value) + R"(,"TTL":3600)" + c.more),
         R"("RecordId":9,)");
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(DnspodTest, changes_and_removes_by_id) {
  zone();
  lists("TXT", "@", R"({"RecordId":1,"Value":"old","LineId":"0","TTL":600})");
  call("ModifyRecord",
       record("TXT", "@", R"("Value":"new","TTL":600,"RecordId":1)"),
       R"("RecordId":1,)");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"new"}, 60)}));
  lists("TXT", "@", R"({"RecordId":1,"Value":"new","LineId":"0","TTL":600})");
  refuses("DeleteRecord",
          R"({"Domain":"example.com","RecordId":1})",
          "ResourceNotFound.NoDataOfRecord");
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));  // gone already
}

TEST_F(DnspodTest, takes_a_record_that_its_lists_do_not_show_yet_for_added) {
  zone();
  lists_nothing("TXT", "x");
  refuses("CreateRecord",
          record("TXT", "x", R"("Value":"v","TTL":600)"),
          "InvalidParameter.DomainRecordExist");
  EXPECT_TRUE(write({set("x.example.com", Type::txt, {"v"}, 600)}));
}

TEST_F(DnspodTest, tells_refusals_apart) {
  struct Case {
    const char* code;
    Code expected;
  };
  const Case cases[] = {{"AuthFailure.SecretIdNotFound", Code::denied},
                        {"UnauthorizedOperation", Code::denied},
                        {"InvalidParameterValue", Code::invalid}};
  for (const auto& c : cases) {
    refuses("DescribeDomainList", R"({"Keyword":"example.com","Limit":3000})", c.code);
    const auto found = find_zone("example.com");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, c.expected) << c.code;
    EXPECT_TRUE(found.error().what.contains(c.code)) << found.error().what;
  }
  EXPECT_FALSE(write({set("_25._tcp.example.com", Type::tlsa, {"3 1 1 abcd"})}));
}

}  // namespace
}  // namespace tapal::dnsapi
