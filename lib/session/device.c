/* The device that a session was begun on, in words that are ours: nothing of the header is kept. */
#include "session/session.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

typedef struct {
    const char *sign;    /* bytes of User-Agent that tell it */
    const char *name;
} device_word_t;

/* Programs name those that they descend from as well: the first row that fits is the program itself. */
static const device_word_t programs[] = {
    { "MicroMessenger", "微信" },
    { "DingTalk",       "钉钉" },
    { "AlipayClient",   "支付宝" },
    { "baiduboxapp",    "百度" },
    { "BIDUBrowser",    "百度浏览器" },
    { "QQBrowser",      "QQ浏览器" },
    { "QIHU",           "360浏览器" },
    { "360SE",          "360浏览器" },
    { "360EE",          "360浏览器" },
    { "MetaSr",         "搜狗浏览器" },
    { "UCBrowser",      "UC浏览器" },
    { "UBrowser",       "UC浏览器" },
    { "HuaweiBrowser",  "华为浏览器" },
    { "MiuiBrowser",    "小米浏览器" },
    { "VivoBrowser",    "vivo浏览器" },
    { "HeyTapBrowser",  "OPPO浏览器" },
    { "SamsungBrowser", "Samsung" },
    { "Edg/",           "Edge" },
    { "EdgA/",          "Edge" },
    { "EdgiOS/",        "Edge" },
    { "Edge/",          "Edge" },
    { "OPR/",           "Opera" },
    { "Firefox/",       "Firefox" },
    { "FxiOS/",         "Firefox" },
    { "Trident/",       "IE" },
    { "MSIE ",          "IE" },
    { "CriOS/",         "Chrome" },
    { "Chrome/",        "Chrome" },
    { "Safari/",        "Safari" },
    { "curl/",          "curl" },
};

static const device_word_t systems[] = {
    { "HarmonyOS",  "鸿蒙" },
    { "Android",    "Android" },
    { "iPhone",     "iPhone" },
    { "iPad",       "iPad" },
    { "Windows",    "Windows" },
    { "Macintosh",  "macOS" },
    { "CrOS",       "ChromeOS" },
    { "UOS",        "UOS" },
    { "Kylin",      "麒麟" },
    { "Linux",      "Linux" },
};


static const char *
name_of(const device_word_t *words, size_t count, cp_str_t user_agent)
{
    size_t i;

    for (i = 0; i < count && user_agent.data != NULL; i++) {
        if (memmem(user_agent.data, user_agent.len, words[i].sign, strlen(words[i].sign)) != NULL) {
            return words[i].name;
        }
    }

    return NULL;
}


cp_str_t
cp_session_device(cp_arena_t *arena, cp_str_t user_agent)
{
    const char *program = name_of(programs, COUNT(programs), user_agent);
    const char *system = name_of(systems, COUNT(systems), user_agent);

    if (program == NULL || system == NULL) {
        return cp_str(program != NULL ? program : system != NULL ? system : "unknown");
    }

    return cp_str_printf(arena, "%s,%s", program, system);
}


cp_str_t
cp_session_device_text(cp_arena_t *arena, cp_str_t device)
{
    const char *comma = device.data == NULL ? NULL : memchr(device.data, ',', device.len);
    int         before = comma == NULL ? 0 : (int) (comma - device.data);

    return comma == NULL ? device
           : cp_str_printf(arena, "%.*s, %.*s", before, device.data, (int) device.len - before - 1, comma + 1);
}
