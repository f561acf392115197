"""The words of rosters: what enterprises call their columns, and what they write into them.

Only words that mean one thing stand here. What could mean two (提前退休 says neither why nor by which rule) is asked back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# field → the names of its column, without spaces, punctuation and brackets
COLUMNS: Mapping[str, frozenset[str]] = {
    "name": _words("姓名 退休人员姓名 人员姓名 职工姓名 退休职工姓名 本人姓名 名字"),
    "id_number": _words(
        """身份证号 身份证号码 身份证 公民身份号码 公民身份证号码 居民身份证号 居民身份证号码 证件号码 证件号 身份号码
        有效身份证件号码 本人身份证号 本人身份证号码 社会保障号 社会保障号码 社保号 社保号码"""
    ),
    "sex": _words("性别"),
    # What an ordinary roster calls the birth is a check on the number; only the archive's is the recognised birth
    "birth": _words("出生日期 出生年月 出生年月日 出生时间 生日"),
    "recognised_birth": _words(
        """档案出生日期 档案出生年月 档案出生时间 档案记载出生日期 档案记载出生年月 认定出生日期 认定出生年月 认定的出生日期
        核定出生日期 核定出生年月"""
    ),
    "phone": _words(
        """联系电话 电话 手机 手机号 手机号码 电话号码 联系方式 联系手机 移动电话 联系号码 本人电话 本人手机 本人手机号
        本人手机号码 本人联系电话 本人联系方式 固定电话 座机 住宅电话 家庭电话 宅电"""
    ),
    "phone_owner": _words(
        "电话所有人 电话机主 机主 机主关系 机主与本人关系 电话使用人 手机所有人 手机机主 号码归属人 电话归属人"
    ),
    "address": _words(
        """详细居住地址 居住地址 现居住地址 家庭住址 家庭地址 住址 现住址 地址 联系地址 通讯地址 居住地 现居住地 居住详细地址
        详细地址 详细住址 现家庭住址 现家庭地址 常住地 常住地址 实际居住地 实际居住地址"""
    ),
    "hukou_place": _words("户籍地 户籍地址 户籍所在地 户籍所在地址 户籍 户口所在地 户口所在地址 户口地址"),
    "native_place": _words("籍贯"),
    "retired_on": _words(
        "退休时间 退休日期 退休年月 退休年月日 批准退休时间 正式退休时间 办理退休时间 退休批准时间 退休审批时间"
    ),
    "retirement_kind": _words("退休类别 退休类型 退休性质 退休种类 退休方式"),
    "veteran": _words(
        """是否复退军人 复退军人 是否退役军人 退役军人 是否复员军人 是否转业军人 是否军转干部 是否退伍军人 退伍军人
        是否复转军人 复转军人 是否军人"""
    ),
    "combat_or_test": _words(
        "是否参战参试人员 参战参试人员 是否参战参试 参战参试 是否参战人员 是否参战 是否参试人员 参战人员 是否参战涉核人员"
    ),
    "party_member": _words("是否党员 是否为党员 党员 党员否 政治面貌 是否中共党员 中共党员"),
    "health": _words("健康状况 身体状况 健康情况 身体健康状况 身体情况"),
    "hardship": _words(
        "优抚类别 优抚情况 困难类别 困难类型 困难情况 困难情形 困难人员类别 帮扶类别 特殊群体 重点人群类别 特困类别"
    ),
    "enterprise": _words(
        """企业名称 企业 原企业 原企业名称 所属企业 移交企业 移交企业名称 移交单位 单位 单位名称 工作单位 原单位 原单位名称
        原工作单位 原所在单位 所在单位 所属单位 退休单位 退休前单位"""
    ),
    "enterprise_level": _words(
        "企业层级 企业隶属 企业隶属关系 隶属关系 单位隶属关系 隶属级别 企业级别 企业性质 企业类别 企业类型"
    ),
    "community": _words(
        """社区 社区名称 社区代码 社区编码 所属社区 所在社区 接收社区 接收社区名称 居住社区 现居住社区 移交社区 管理社区
        村社区 社区村 街道社区"""
    ),
    "residence_kind": _words("居住地类别 居住地类型 居住地分类 居住类别 居住情况类别"),
    "pension_source": _words(
        "养老金来源 养老金发放机构 养老金发放单位 养老金发放地 参保地 养老保险参保地 社保机构 待遇发放机构 养老待遇发放地"
    ),
    "emergency_contact": _words(
        """紧急联系人 紧急联系人姓名 应急联系人 其他联系人 其他联系人姓名 联系人 联系人姓名 亲属联系人 家属联系人 亲属姓名
        家属姓名 子女姓名"""
    ),
    "emergency_phone": _words(
        """紧急联系人电话 紧急联系电话 紧急电话 紧急联系人手机 紧急联系人手机号 紧急联系人手机号码 紧急联系人联系电话
        紧急联系人联系方式 应急联系人电话 应急联系电话 其他联系人电话 联系人电话 联系人手机 联系人联系电话 亲属电话
        亲属联系电话 家属电话 家属联系电话 子女电话 子女联系电话"""
    ),
    "liveness_note": _words(
        "认证备注 认证说明 认证困难说明 人脸认证备注 人脸认证说明 行动不便说明 不便动作 不能完成的动作"
    ),
}
FIELD_OF: Mapping[str, str] = {name: field for field, names in COLUMNS.items() for name in names}

# Columns that rosters have and that need not be reported as unknown
IDLE_COLUMNS = _words("序号 编号 行号 顺序号 NO 年龄 周岁 民族 原因")

# In brackets or in a header above, these say that a column is about somebody else
SOMEBODY_ELSE = re.compile("配偶|老伴|子女|儿子|女儿|家属|亲属|父|母|紧急|应急|联系人|监护|代办|经办")

# How the rows that close a page begin
FOOTER = re.compile(
    "(总|共|合|小|累)计|共[0-9]+人|制表|填表|填报|报送|审核|审批|复核|经办|统计人|负责人|单位负责|日期|"
    "备注|填写说明|[注说][明]?[:：]|以下空白"
)

# Stands for an empty cell
NOTHING = frozenset({"", *_words("- -- — —— – / \\ 无 暂无 不详 不明 未知 空 N/A #N/A NULL")})

YES = _words("是 是的 有 属于 √ ✓ ✔ ☑ 对 Y YES T TRUE V 1")
YES_BY_KIND = re.compile("(复员|转业|退伍|退役|军转|复退|复转|参战|参试|参战参试|涉核)(军人|干部|人员|士官|兵)?")
NO = _words("否 不是 不 非 无 没有 未 不属于 × ✗ ✘ ╳ ✕ ☒ X N NO F FALSE 0")

PARTY_MEMBERS = _words("党员 中共党员 中国共产党党员 共产党员 正式党员 中共正式党员")
PROBATIONARY_PARTY_MEMBERS = _words("预备党员 中共预备党员 中国共产党预备党员")
NOT_PARTY_MEMBERS = _words(
    """群众 普通群众 非党员 团员 共青团员 民主党派 无党派 无党派人士 无党派民主人士 民革党员 民盟盟员 民建会员 民进会员
    农工党党员 致公党党员 九三学社社员 台盟盟员"""
)

# The digits are the codes of GB/T 2261.1 here, and those of the ledger of 社会化管理 below
SEXES = {"male": _words("男 男性 男士 M MALE 1"), "female": _words("女 女性 女士 F FEMALE 2")}

# field → our word → theirs
CHOICES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "retirement_kind": {
        "normal": _words("1 正常 正常退休 到龄 到龄退休 正常到龄退休 法定退休 法定 退休"),
        "special_work": _words(
            "2 特殊工种 特殊工种提前 特殊工种退休 特殊工种提前退休 特殊岗位 特殊岗位提前退休 特岗 特种工"
        ),
        "special_policy": _words(
            "3 特殊政策 特殊政策提前 特殊政策提前退休 政策提前退休 政策性退休 政策性提前 政策性提前退休"
        ),
        "illness": _words(
            "4 病退 因病 因病退休 因病提前退休 退职 病退退职 病退/退职 非因工致残退休 因病或非因工致残退休"
        ),
    },
    "health": {
        "healthy": _words("1 健康 身体健康 良好 健康良好 健康或良好 好 较好 正常"),
        "unable_self_care": _words("2 生活不能自理 不能自理 失能 半失能 完全失能 部分失能 失智 瘫痪 卧床 长期卧床"),
        "chronic": _words(
            "3 长年有病 常年有病 长期有病 慢性病 有慢性病 患慢性病 有病 患病 多病 体弱多病 较差 差 重病 大病"
        ),
        "ordinary": _words("4 一般 尚可 还可以 一般或较弱 较弱 体弱"),
    },
    "enterprise_level": {
        "central": _words("央企 央属 中央 中央企业 中央属 中央直属 中央驻地方企业 部属"),
        "province": _words("省 省属 省级 省直 省企 省国企 省属企业 省管企业"),
        "city": _words("市 市属 市级 市直 市企 市国企 市属企业 市管企业 市直企业 市州属"),
        "county": _words(
            "县 区 县属 区属 县级 区级 县区属 区县属 县市区属 县(区)属 区(县)属 县(市)属 区县级 县属企业 区属企业"
        ),
    },
    "residence_kind": {
        "local": _words("1 本企业所在县市 本企业所在地 企业所在县市 本县市 本市 本县 本地 市内 当地"),
        "other_county": _words("2 省内 省内跨县市 省内跨市 省内异地 省内其他县市 跨县市"),
        "other_province": _words("3 跨省 跨省异地 省外 外省 外省市"),
        "hk_mo_tw": _words("4 港澳台 港澳台地区 香港 澳门 台湾"),
        "abroad": _words("5 境外 境外定居 国外 国外定居 海外"),
    },
}
CHOICES_SHOWN = {
    "retirement_kind": "正常、特殊工种、特殊政策、病退",
    "health": "健康、生活不能自理、长年有病、一般",
    "enterprise_level": "中央、省属、市属、县属",
    "residence_kind": "本企业所在县市、省内跨县市、跨省、港澳台、境外",
}
# A column 健康状况 often names the illness itself; only the category is kept
ILLNESS = re.compile("病|高血压|高血脂|高血糖|癌|瘤|中风|偏瘫|手术")

# What is found inside a word makes the tag
HARDSHIPS: Mapping[str, re.Pattern[str]] = {
    "elderly": re.compile("高龄"),
    "lonely": re.compile("孤寡|孤老|独居|空巢|失独"),
    "ill_or_disabled": re.compile("重病|大病|病残|残疾|重残|伤残|工伤|失能|失智|患病|慢性病|多病"),
    "poor": re.compile("特困|低保|困难|五保|贫困|低收入|支出型"),
}
NO_HARDSHIP = re.compile("无|否|没有|正常|一般|[非不无]困难|健康|×|0")
# The codes of 优抚类别: 1 特困, 2 重病, 3 低保, 4 无
HARDSHIP_CODES: Mapping[str, tuple[str, ...]] = {"1": ("poor",), "2": ("ill_or_disabled",), "3": ("poor",), "4": ()}

RELATION = re.compile(
    "本人|老伴|配偶|丈夫|妻子|爱人|儿子|女儿|儿媳|媳妇|女婿|孙子|孙女|外孙女|外孙|侄子|侄女|外甥|兄弟|姐妹|邻居|保姆|家属|子女"
)
# Said beside a number without telling anything
PHONE_LABEL = re.compile("手机号?码?|电话|座机|固话|宅电|微信|同号|机|家|号码|或|转|分")
