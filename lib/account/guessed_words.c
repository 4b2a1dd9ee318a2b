/* What passwords of people in China, and of this portal, are made of; the library knows the English half. */
#include "account/password_strength.h"

const char *const cp_guessed_words[] = {
    "caportal", "zhengshu", "shuzizhengshu", "dianziqianzhang", "数字证书", "电子印章", "电子签章", "证书", "密码",
    "我的密码", "我爱你", "中国", "你好", "公司", "mima", "wodemima", "woaini", "woai", "aini", "nihao", "zhongguo",
    "woaizhongguo", "beijing", "shanghai", "guangzhou", "shenzhen", "neimenggu", "huhehaote", "baotou", "woshi",
    "buzhidao", "meiyoumima", "xiaoming", "xiaobao", "baobao", "tiantian", "kaixin", "kuaile", "feifei", "tianshi",
    "wozhiaini", "woaiwojia", "woaibaobao", "woaiwoziji", "ainiyiwannian", "wangjile", "5201314", "1314520", "520520",
    "13145200", "1314", "520", "521", "7758521", "7758258", "3344520", "5845201314", "584520", "147258", "159357",
    "741852", "gongsi", "qiye", "caiwu", "caigou", "toubiao", "zhaobiao", "zhengfu", "shenhe", "usbkey", "ukey",
    "admin", "administrator", "root", "guest", "test", "user", "login", "default", "changeme", "welcome", "letmein",
    "system", "server", "manager", "finance", "company", "enterprise", "government", "business", "weixin", "wechat",
    "taobao", "alibaba", "tencent", "huawei", "xiaomi", "lenovo", "baidu", "qq", "wx", "zhang", "wang", "chen",
    "yang", "zhao", "huang", "zhou", "liu", "zhangwei", "wangwei", "zhangsan", "lisi", "liwei", "wangyang", "qwe",
    "asd", "zxc", "qaz", "wsx", "edc", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "!qaz", "@wsx",
    "zaq1", "xsw2", "cde3", "vfr4", "bgt5", "nhy6", "mko0", "nji9", "1q2w3e4r", "q1w2e3r4", "1a2b3c4d", "a1b2c3d4",
    "a1s2d3f4", "1z2x3c4v", "1x2c3v4b", "0p9o8i7u", "1q2w", "q1w2", "!q@w", "qweasd", "asdzxc", "qweasdzxc",
    "zxcasdqwe", "zxcvbnm", "qwerty", "qwer", "asdf", "zxcv", "poiu", "mnbv", "lkjh", "fortnite", "linkedin",
    "counterstrike", "worldofwarcraft", "tlbb", "dnf", "wow", "realmadrid", "zaqwsx", "zaqwsxcde", "qazwsxedcrfv",
    "1qazxsw2", "qazxswedc", "okm", "ijn", "uhb", "okmijn", "wo", "ni", "xinxin", "lele", "yiyi", "wangyi", "sina",
    "yinhang", "zhifubao", "alipay", "weibo", "douyin", "kuaishou", "mimamima", "asdasd", "qweqwe", "1w2w3w4w",
    "q1w2e3r4t5y6", "q1w2e3r4t5", "1q2w3e4r5t", "teiubesc", "chouette", "estrellita", "jesucristo", "mahalkita",
    "bismillah", "tequiero", "preciosa", "tokiohotel", "gammaphi", "cornflake", "lipgloss", "jethrotull", "zacefron",
    "amorcito", "friendster", "babygurl", "1!2@3#4$", "1!2@", "wode", "yuan", "sheng", "shiwo", "laopo", "laogong",
    "baobei", "meimei", "gege", "dage", "xiaohai", "haoren", "jiayou", "gongxi", "facai", "gongxifacai", "wanshiruyi",
    "pingan", "jiankang", "xingfu", "xingyun", "longteng", "changcheng", "huanghe", "changjiang", "zhonghua",
    "renminbi",
};

const size_t cp_guessed_word_count = sizeof(cp_guessed_words) / sizeof(cp_guessed_words[0]);
