/* Configuration files in nginx's syntax, and the profiles written in it: each mistake at its line. */
#include "seams.h"

#include <string.h>

#include "certificate/der.h"
#include "certificate/profile.h"

#define HEAD  "profile a {\nsubject C O CN;\nkey p256;\nkey_usage digital_signature;\nyears 1 5;\n"

static const char good_text[] =
    "# comment\n"
    "profile unit-sign {\n"
    "    subject \"C\" ST? 'O' OU? CN;   # and here\n"
    "    key p256 rsa2048; key_usage digital_signature non_repudiation;\n"
    "    extended_key_usage client_auth 1.2.3.4;\n"
    "    policy 1.2.156.1 http://ca.example/cps;\n"
    "    policy 1.2.156.2;\n"
    "    identifier uscc 1.2.156.10260.4.1.4 printable;\n"
    "    identifier id 1.2.156.10260.4.1.1 printable explicit 0;\n"
    "    identifier passport 1.2.156.10260.4.1.9 utf8 implicit 2;\n"
    "    crl http://ca.example/crl/$issuer.crl;\n"
    "    issuer p256-1 rsa-1;\n"
    "    years 1 3;\n"
    "    backdate 10m;\n"
    "    name_max 40;\n"
    "}\n"
    "profile person { subject C CN; key p256; key_usage digital_signature; years 2; }\n";


static void
good(void **state)
{
    const cp_profile_t *profile;
    cp_profiles_t      *profiles;
    cp_arena_t         *arena = cp_arena_new(0);
    const char         *why;
    unsigned            line;

    (void) state;

    profiles = cp_profiles_parse(CP_STR(good_text), &why, &line);
    if (profiles == NULL) {
        fail_msg("%s in line %u", why, line);
    }

    profile = cp_profile_find(profiles, CP_STR("unit-sign"));
    assert_non_null(profile);
    assert_int_equal(profile->part_count, 5);
    assert_string_equal(profile->parts[1].attribute->name, "ST");
    assert_true(profile->parts[1].optional);
    assert_false(profile->parts[2].optional);
    assert_int_equal(profile->keys, CP_KEY_P256 | CP_KEY_RSA2048);
    assert_int_equal(profile->key_usage, 0xc0);
    assert_int_equal(profile->purpose_count, 2);
    assert_true(cp_str_eq(profile->purposes[1], CP_STR("\x2a\x03\x04")));
    assert_int_equal(profile->policy_count, 2);
    assert_null(profile->policies[1].cps.data);
    assert_int_equal(profile->identifiers[0].wrap, 0);
    assert_int_equal(profile->identifiers[1].wrap, 0xa0);
    assert_int_equal(profile->identifiers[2].wrap, 0x82);
    assert_int_equal(profile->identifiers[2].tag, CP_DER_UTF8);
    assert_int_equal(profile->issuer_count, 2);
    assert_int_equal(profile->years_max, 3);
    assert_int_equal(profile->backdate_ms, 600000);
    assert_int_equal(profile->name_max, 40);
    assert_true(cp_str_is(cp_profile_url(arena, profile->crl, CP_STR("x")), "http://ca.example/crl/x.crl"));

    profile = cp_profile_find(profiles, CP_STR("person"));
    assert_int_equal(profile->years_min, 2);
    assert_int_equal(profile->years_max, 2);
    assert_null(cp_profile_find(profiles, CP_STR("persons")));

    cp_profiles_free(profiles);
    cp_profiles_free(NULL);
    cp_arena_free(arena);
}


static void
sample_file(void **state)
{
    const char    *why;
    unsigned       line;
    cp_profiles_t *profiles = cp_profiles_read("conf/profiles.conf", &why, &line);

    (void) state;

    if (profiles == NULL) {
        fail_msg("%s in conf/profiles.conf:%u", why, line);
    }
    assert_non_null(cp_profile_find(profiles, CP_STR("unit-sign")));
    cp_profiles_free(profiles);

    assert_null(cp_profiles_read("conf/no such file", &why, &line));
    assert_int_equal(line, 0);
}


static void
bad(void **state)
{
    static const struct { const char *text; unsigned line; const char *why; } rows[] = {
        { "", 1, "directive \"profile\" is missing" },
        { "profile a {\n", 2, "unexpected end of file, expecting \"}\"" },
        { "profile a;\n", 1, "directive \"profile\" has no opening \"{\"" },
        { "}\n", 1, "unexpected \"}\"" },
        { ";\n", 1, "unexpected \";\" or \"{\"" },
        { "profile a\n{ key p256 }", 2, "unexpected \"}\", expecting \";\"" },
        { "profile \"a {}\n", 2, "unexpected end of file, expecting the closing quote" },
        { "profile \"a\"b {}\n", 1, "unexpected text behind a closing quote" },
        { "profile a b {}\n", 1, "invalid number of arguments in \"profile\"" },
        { "profil a {}\n", 1, "unknown directive \"profil\"" },
        { HEAD "}\nprofile a {}\n", 7, "profile \"a\" is there twice" },
        { HEAD "colour red;\n}", 6, "unknown directive \"colour\"" },
        { HEAD "key p256;\n}", 6, "directive \"key\" is duplicate" },
        { HEAD "policy 1.2.x;\n}", 6, "invalid object identifier \"1.2.x\"" },
        { HEAD "crl ftp://x;\n}", 6, "\"ftp://x\" is no http URL" },
        { HEAD "crl \"http://a b\";\n}", 6, "\"http://a b\" is no http URL" },
        { HEAD "extended_key_usage client_auth client_auth;\n}", 6, "double purpose \"client_auth\"" },
        { HEAD "identifier uscc 1.2.3 bmp;\n}", 6,
          "invalid string type \"bmp\", expecting \"printable\" or \"utf8\"" },
        { HEAD "identifier uscc 1.2.3 utf8 explicit;\n}", 6,
          "invalid tag, expecting \"explicit N\" or \"implicit N\"" },
        { HEAD "identifier uscc 1.2.3 utf8 explicit 31;\n}", 6,
          "invalid tag, expecting \"explicit N\" or \"implicit N\"" },
        { HEAD "backdate 2d;\n}", 6, "value \"2d\" of \"backdate\" is out of range" },
        { HEAD "backdate soon;\n}", 6, "invalid time \"soon\"" },
        { HEAD "name_max x;\n}", 6, "invalid number \"x\"" },
        { "profile a {\nkey p256;\nkey_usage digital_signature;\nyears 1;\n}", 1, "directive \"subject\" is missing" },
        { "profile a {\nsubject O C CN;\n}", 2, "\"C\" is no attribute or stands out of order (C ST L O OU CN)" },
        { "profile a {\nsubject C CN CN;\n}", 2, "\"CN\" is no attribute or stands out of order (C ST L O OU CN)" },
        { "profile a {\nsubject C O;\n}", 2, "a subject needs a CN" },
        { "profile a {\nsubject C CN?;\n}", 2, "a subject needs a CN" },
        { "profile a {\nkey rsa1024;\n}", 2, "unknown or double word \"rsa1024\" in \"key\"" },
        { "profile a {\nkey_usage key_cert_sign;\n}", 2, "unknown or double word \"key_cert_sign\" in \"key_usage\"" },
        { "profile a {\nyears 3 1;\n}", 2, "invalid years, expecting \"years MIN MAX\" from 1 to 30" },
        { "profile a {\nyears 0 1;\n}", 2, "invalid years, expecting \"years MIN MAX\" from 1 to 30" },
        { "a{a{a{a{a{a{a{a{a{a{}}}}}}}}}}", 1, "too many nested blocks" },
    };
    const char *why;
    unsigned    line;
    size_t      i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cp_profiles_parse(cp_str(rows[i].text), &why, &line) != NULL) {
            fail_msg("accepted: %s", rows[i].text);
        }
        if (strcmp(why, rows[i].why) != 0 || line != rows[i].line) {
            fail_msg("\"%s\" in line %u, not \"%s\" in line %u", why, line, rows[i].why, rows[i].line);
        }
    }
}


/* Characters are counted, not bytes. */
static void
names(void **state)
{
    static const struct {
        const char *profile;
        const char *name;
        bool        holds;
    } rows[] = {
        { "a", "内蒙古公司", true },
        { "a", "内蒙古公司一", false },
        { "a", "12345", true },
        { "a", "123456", false },
        { "b", "内蒙古自治区公共资源交易中心", true },
        { "none", "内蒙古自治区公共资源交易中心", true },
    };
    static const char text[] = "profile a { subject C O CN; key p256; key_usage digital_signature; years 1 5;"
                               " name_max 5; }\n"
                               "profile b { subject C O CN; key p256; key_usage digital_signature; years 1 5; }";

    cp_profiles_t *profiles;
    const char    *why = NULL;
    unsigned       line;
    size_t         i;

    (void) state;

    profiles = cp_profiles_parse(cp_str(text), &why, &line);
    if (profiles == NULL) {
        fail_msg("%s in line %u", why, line);
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cp_profile_holds(profiles, cp_str(rows[i].profile), cp_str(rows[i].name)) != rows[i].holds) {
            fail_msg("%s: %s", rows[i].profile, rows[i].name);
        }
    }
    assert_true(cp_profile_holds(NULL, CP_STR("a"), CP_STR("123456")));

    cp_profiles_free(profiles);
}


/* Each kind of word, and the lines that directives are found at. */
static void
words(void **state)
{
    cp_arena_t     *arena = cp_arena_new(0);
    cp_conf_fault_t fault;
    cp_conf_t      *list;

    (void) state;

    assert_true(cp_conf_parse(arena, CP_STR("a b#c 'd e' \"f\\\"g\";\n\nh{i;}"), &list, &fault));
    assert_int_equal(list->count, 4);
    assert_string_equal(list->words[1].data, "b#c");
    assert_string_equal(list->words[2].data, "d e");
    assert_string_equal(list->words[3].data, "f\"g");
    assert_int_equal(list->line, 1);
    assert_int_equal(list->next->line, 3);
    assert_true(list->next->block);
    assert_string_equal(list->next->children->words[0].data, "i");
    assert_null(list->next->next);

    cp_arena_free(arena);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(sample_file),
        cmocka_unit_test(bad),
        cmocka_unit_test(names),
        cmocka_unit_test(words),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
