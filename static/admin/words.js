// Every token of the API as the words that staff read.

export const ROLES = {
  community: "社区工作人员",
  street: "街道工作人员",
  district: "区县工作人员",
  city: "市级工作人员",
  archive_keeper: "档案管理员",
  branch_secretary: "党支部书记",
  enterprise: "企业经办人",
  auditor: "审计员",
  administrator: "系统管理员",
  retiree: "退休人员",
  family: "家属",
  system: "系统",
};
export const OFFICE = ["community", "street", "district", "city"];
export const SUPERVISORS = ["street", "district", "city"];
export const AUTHORS = [...OFFICE, "branch_secretary"];
export const TEMPLATE_WRITERS = ["administrator", "city"];
export const IMPORTERS = [...OFFICE, "enterprise"];
export const READERS = [...OFFICE, "archive_keeper", "branch_secretary", "enterprise"];

export const LEVELS = { city: "市", district: "区县", street: "街道", community: "社区" };

// ---- People

export const STATUS = {
  to_hand_over: "待移交",
  in_care: "在管",
  moved: "已迁出",
  lost: "失联",
  deceased: "已去世",
};
export const STATUS_TONE = { to_hand_over: "info", in_care: "success", moved: "info", lost: "warning", deceased: "info" };
export const SEX = { male: "男", female: "女" };
export const RETIREMENT_KIND = { normal: "正常退休", special_work: "特殊工种", special_policy: "特殊政策", illness: "病退" };
export const HEALTH = { healthy: "健康", ordinary: "一般", chronic: "长年有病", unable_self_care: "生活不能自理" };
export const HARDSHIP = { elderly: "高龄", lonely: "孤寡独居", ill_or_disabled: "重病残疾", poor: "生活困难" };
export const ENTERPRISE_LEVEL = { central: "中央企业", province: "省属企业", city: "市属企业", county: "县属企业" };
export const RESIDENCE_KIND = {
  local: "本县市区",
  other_county: "省内其他县市",
  other_province: "外省",
  hk_mo_tw: "港澳台",
  abroad: "国外",
};
export const VERIFICATION = { unverified: "未核实", verified: "已核实", doubtful: "有疑问" };

export const FIELDS = {
  name: "姓名",
  sex: "性别",
  id_number: "身份证号",
  id_birth: "身份证出生日期",
  recognised_birth: "认定出生日期",
  phone: "联系电话",
  phone_owner: "电话机主",
  division: "所在社区",
  address: "居住地址",
  residence_kind: "居住地类别",
  hukou_place: "户籍地",
  native_place: "籍贯",
  emergency_contact: "紧急联系人",
  emergency_phone: "紧急联系电话",
  enterprise: "原企业",
  enterprise_level: "企业层级",
  retired_on: "退休日期",
  retirement_kind: "退休类别",
  pension_source: "养老金来源",
  health: "健康状况",
  hardship: "困难情况",
  veteran: "复退军人",
  combat_or_test: "参战参试",
  party_member: "党员",
  liveness_note: "不能做动作的原因",
  verification: "核实情况",
  status: "人员状态",
  status_reason: "状态说明",
  died_on: "去世日期",
  updated_at: "最近修改",
};

// ---- Certification

export const CERTIFICATION = {
  valid: "有效",
  due_soon: "临期",
  overdue: "逾期",
  checking: "核对中",
  suspended: "已暂停发放",
  ended: "已终止",
};
export const CERTIFICATION_TONE = {
  valid: "success",
  due_soon: "warning",
  overdue: "danger",
  checking: "primary",
  suspended: "danger",
  ended: "info",
};
export const METHOD = {
  face: "人脸认证",
  face_review: "人脸认证（人工核对）",
  home_visit: "上门认证",
  window: "窗口认证",
  video: "视频认证",
  data_match: "数据比对",
};
export const STAFF_METHODS = ["home_visit", "window", "video", "data_match"];
export const HELP_METHOD = { home_visit: "上门办理", window: "窗口办理", video: "视频办理" };
export const FOLLOW_UP = { certification_help: "认证需要人工办理", face_locked: "人脸停用，请核实", wrong_pass: "紧急：抽查发现可能不是本人，请上门或打电话核实", message_help: "看不懂消息，请讲给他听" };
export const OUTCOME = { certified: "已认证（系统自动办结）", face_unlocked: "已恢复人脸认证（系统自动办结）" };

export const SESSION = {
  awaiting_frames: "等待拍照",
  checking: "正在核对",
  in_review: "待审核",
  passed: "通过",
  failed: "未通过",
  expired: "超时",
};
export const ACTION = {
  neutral: "正脸",
  turn_left: "向左转头",
  turn_right: "向右转头",
  open_mouth: "张嘴",
  blink: "眨眼",
  nod: "点头",
};

/** Why the machine did not decide by itself, or refused: for staff, so it says what was seen, not what to do. */
export const REASON = {
  image_too_large: "照片文件太大",
  not_an_image: "不是照片",
  too_many_pixels: "照片尺寸太大",
  image_broken: "照片没有传完整",
  no_face: "没有看到人脸",
  several_faces: "画面里不止一个人",
  face_too_small: "人脸太小，离得太远",
  too_dark: "光线太暗",
  too_bright: "光线太亮",
  blurred: "画面模糊",
  turned_away: "脸没有正对镜头",
  eyes_covered: "眼睛被遮住",
  wrong_frames: "画面和要求的动作对不上",
  neutral_missing: "缺少正脸照片",
  nothing_moved: "画面一直没有动",
  action_not_seen: "有动作没有看到",
  different_people: "前后不是同一个人",
  no_actions_asked: "本人做不了动作",
  different_person: "和登记照片不像",
  match_doubtful: "和登记照片像不像拿不准",
  not_enrolled: "没有登记照片可比",
  model_changed: "识别程序升级，登记照片要重新核对",
  flat_face: "转头时像平面照片",
  presentation_attack: "像是照片、屏幕或录像",
  screen_suspected: "像是翻拍的屏幕或照片",
  same_people_doubtful: "前后是不是同一个人拿不准",
  seen_before: "画面以前用过",
  seen_before_doubtful: "有画面和以前的很像",
  frames_repeated: "同一张画面当作几个动作发来",
  could_not_check: "系统没能自动核对",
  consent_withdrawn: "本人撤回了同意",
  frames_lost: "照片没有保存好",
  recorded_as_deceased: "名册里登记为已去世",
  expired: "超过时间没有做完",
};

export const SECOND_LOOK = { waiting: "等着看", different: "不是本人", same: "是本人", unclear: "看不清", not_looked: "没来得及看" };

export const ALARM = {
  account_several_people: "同一账号对几个人可疑失败",
  device_several_people: "同一部手机上几个账号对几个人可疑失败",
  same_film: "同一段录像用于两个人",
  recorded_as_deceased: "登记已去世的人通过了人脸核对",
  wrong_pass: "抽查发现通过的不是本人",
};
export const FINDING = { harmless: "没有问题", fraud_suspected: "怀疑冒用" };
export const RELATION = { self: "本人", child: "子女", spouse: "配偶", relative: "其他亲属" };

export const REFERENCE = { none: "没有登记", pending: "正在检查", ready: "可以使用", rejected: "不能使用" };
export const REFERENCE_TONE = { none: "info", pending: "primary", ready: "success", rejected: "danger" };
export const SOURCE = { staff: "工作人员登记", import: "批量导入", first_attempt: "首次认证时留下" };

export const MATCH_DECISION = {
  sure: "很像，系统认为是本人",
  doubtful: "拿不准，请您仔细比对",
  different: "不像，系统认为不是本人",
};

// ---- Notices

export const NOTICE_KIND = { policy: "政策", announcement: "通知", question: "常见问题" };
export const NOTICE_CATEGORY = { pension: "养老待遇", medical: "医疗", party: "党建", activity: "活动", benefit: "福利", safety: "安全", other: "其他" };
export const NOTICE_STATE = { draft: "草稿", in_review: "待审核", approved: "待发布", published: "已发布", withdrawn: "已撤回" };
export const NOTICE_TONE = { draft: "info", in_review: "warning", approved: "primary", published: "success", withdrawn: "info" };
export const IMPORTANCE = { routine: "一般", important: "重要", emergency: "紧急" };
export const IMPORTANCE_TONE = { routine: "info", important: "warning", emergency: "danger" };

export const NOTICE_FIELDS = {
  kind: "种类", category: "类别", importance: "要紧程度", pinned: "置顶", title: "标题", summary: "一句话说明", body: "正文", source: "来源", document_number: "文号",
  effective_on: "施行日期", expires_on: "有效期", audience: "发给谁", pictures: "图片", attachments: "附件",
};

export const CHANNEL = { wechat: "微信", sms: "短信", call: "打电话", paper: "上门" };
export const DELIVERY_STATE = {
  waiting: "等候",
  sending: "正在交给平台",
  accepted: "平台已收下",
  delivered: "已送到",
  refused: "送不到",
  failed: "发送失败",
  cancelled: "不用发了",
  listed: "等人告知",
  reached: "已告知",
};
export const DELIVERY_TONE = {
  waiting: "info",
  sending: "primary",
  accepted: "primary",
  delivered: "success",
  refused: "warning",
  failed: "danger",
  cancelled: "info",
  listed: "warning",
  reached: "success",
};
/** What each state means, for the legend beside the figures. */
export const DELIVERY_MEANING = {
  waiting: "还没到时候：夜间不发、当天发够了，或先看前一种方式本人读没读。",
  sending: "正在交给微信或短信平台。",
  accepted: "微信或短信平台已经收下，还没有回执。",
  delivered: "平台回执：已经到了本人手机上。",
  refused: "这种方式送不到这个人：没有同意接收、号码不对或已停用。",
  failed: "试了几次都没成功，请到“未送达”里重试或改为电话、上门。",
  cancelled: "本人已经读过，或通知已撤回、已过期，不用再发。",
  listed: "手机送不到，排在电话或上门名单上，等工作人员告知。",
  reached: "工作人员已经打电话或上门告知。",
};
export const TEMPLATE_STATE = { draft: "草稿", active: "正在使用", retired: "已停用" };
export const TEMPLATE_TONE = { draft: "warning", active: "success", retired: "info" };

/** The kinds of fields of a WeChat subscribe message, and what WeChat lets each of them hold. */
export const WECHAT_FIELD = {
  thing: "20个字以内",
  number: "32位以内的数字",
  letter: "32个以内的字母",
  symbol: "5个以内的符号",
  character_string: "32位以内的数字、字母或符号，不能有汉字",
  time: "时间，如 15:01",
  date: "日期，如 2026年10月1日",
  amount: "金额，如 100.00元",
  phone_number: "17位以内的电话号码",
  car_number: "8位以内的车牌号码",
  name: "10个以内的汉字，或20个以内的字母",
  phrase: "5个以内的汉字",
  enum: "微信列出的选项之一",
};

// ---- Imports

export const IMPORT_STATE = { waiting: "排队等待", running: "正在读取", done: "已完成", refused: "没能读取" };
export const IMPORT_TONE = { waiting: "info", running: "primary", done: "success", refused: "danger" };
export const IMPORT_KIND = { roster: "花名册", photos: "登记照片" };

// ---- The audit log

export const AUDITED = {
  "account.opened": "开通账号",
  "account.locked": "账号锁定（密码输错太多）",
  "account.password_reset": "重置密码",
  "account.disabled": "停用账号",
  "account.enabled": "启用账号",
  "account.password_changed": "修改密码",
  "account.totp_switched_on": "开启身份验证器",
  "account.totp_switched_off": "关闭身份验证器",
  "binding.confirmed": "绑定手机账号",
  "binding.ended": "解除绑定",
  "certification.started": "开始人脸认证",
  "certification.frames_received": "收到认证照片",
  "certification.frame_seen": "查看认证照片",
  "certification.passed": "人脸认证通过",
  "certification.failed": "人脸认证未通过",
  "certification.in_review": "人脸认证转人工审核",
  "certification.review_passed": "人工审核通过",
  "certification.review_failed": "人工审核不通过",
  "certification.second_look": "抽查",
  "consent.given": "同意使用人脸",
  "consent.withdrawn": "撤回人脸同意",
  "face.photo_put": "登记照片",
  "face.photo_seen": "查看登记照片",
  "face.template_added": "保存人脸特征",
  "face.deleted": "删除人脸信息",
  "face.locked": "停用人脸认证（可疑失败太多）",
  "face.unlocked": "恢复人脸认证",
  "face.paused": "账号或设备暂停人脸认证",
  "face.alarm_raised": "发出异常提醒",
  "face.alarm_closed": "办结异常提醒",
  "follow_up.asked": "申请人工办理",
  "follow_up.done": "办结待办",
  "import.roster_started": "导入花名册",
  "import.roster_done": "花名册导入完成",
  "import.photos_started": "导入登记照片",
  "import.photos_done": "登记照片导入完成",
  "import.refused": "导入文件没能读取",
  "contact_settings.changed": "修改通知方式",
  "deliveries.door_list": "下载电话和上门名单",
  "delivery.retried": "消息再发一次",
  "delivery.reached": "登记已告知",
  "message.help_asked": "看不懂消息，请人帮忙",
  "message_template.written": "写消息模板",
  "message_template.activated": "启用消息模板",
  "notice.created": "写通知",
  "notice.changed": "修改通知",
  "notice.discarded": "删除通知草稿",
  "notice.file_added": "给通知加图片或附件",
  "notice.file_removed": "去掉通知的图片或附件",
  "notice.review_asked": "通知送审",
  "notice.taken_back": "取回通知",
  "notice.reviewed": "审核通知",
  "notice.scheduled": "定时发布通知",
  "notice.published": "发布通知",
  "notice.not_published": "通知到时没能发布",
  "notice.withdrawn": "撤回通知",
  "notice.correction_begun": "开始更正通知",
  "pension.suspension_noted": "登记养老金暂停或恢复",
  "retiree.added": "新增人员",
  "retiree.changed": "修改人员信息",
  "retiree.filled": "导入补全人员信息",
  "retiree.certified": "完成认证",
  "retiree.revealed": "查看完整信息",
};
export const SUBJECT = { retiree: "退休人员", account: "账号", face_alarm: "异常提醒", import: "导入", notice: "通知", message_template: "消息模板", division: "地区" };
export const AUDITED_VALUES = {
  ...FIELDS,
  role: "岗位",
  username: "用户名",
  session_id: "认证编号",
  frames: "照片张数",
  frame: "第几张照片",
  reasons: "原因",
  reason: "理由",
  kind: "种类",
  version: "版本",
  source: "来源",
  method: "方式",
  outcome: "结果",
  rows: "共（行）",
  accepted: "接收",
  added: "新增",
  filled: "补全",
  rejected: "未通过",
  code: "代码",
  suspended_on: "暂停日期",
  last_certified_on: "最近认证日",
  due_on: "到期日",
  number: "凭证编号",
  field: "项目",
  purpose: "用途",
  relation: "关系",
  failures: "可疑失败次数",
  holder: "暂停的是",
  until: "停到",
  people: "涉及人数",
  finding: "核实结果",
  answer: "抽查结果",
  note: "说明",
  title: "标题",
  state: "状态",
  fields: "改了哪些",
  revision: "第几次修改",
  approved: "通过",
  afterwards: "事后补审",
  publish_at: "发布时间",
  emergency: "紧急发布",
  audience_id: "发送名单编号",
  file_id: "文件编号",
  message: "消息编号",
  delivery: "发送编号",
  channel: "方式",
  channels: "通知方式",
  copy_family: "同时发给家属",
};
const VALUES_OF = {
  role: ROLES, sex: SEX, status: STATUS, health: HEALTH, verification: VERIFICATION, retirement_kind: RETIREMENT_KIND,
  enterprise_level: ENTERPRISE_LEVEL, residence_kind: RESIDENCE_KIND, source: SOURCE, outcome: OUTCOME, reasons: REASON,
  field: FIELDS, hardship: HARDSHIP, finding: FINDING, relation: RELATION, holder: { account: "账号", device: "设备" }, answer: SECOND_LOOK, state: NOTICE_STATE, channel: CHANNEL,
  fields: { ...NOTICE_FIELDS, text: "文字" },
};

/** A value of the audit log in words. */
export function auditedValue(name, value) {
  if (value === null || value === undefined || value === "" || value === "None") return "（空）";
  if (Array.isArray(value)) return value.map((one) => auditedValue(name, one)).join("、") || "（空）";
  if (typeof value === "object") return Object.entries(value).map(([key, one]) => `${CHANNEL[key] || key}：${auditedValue(key, one)}`).join("，");
  if (typeof value === "boolean" || value === "True" || value === "False") return value === true || value === "True" ? "是" : "否";
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:/.test(value)) return minute(new Date(Date.parse(value.replace(" ", "T")) + SHANGHAI).toISOString());
  if (name === "frame") return String(Number(value) + 1);
  if (name === "kind" && ALARM[value]) return ALARM[value];
  if (name === "method") return METHOD[value] || HELP_METHOD[value] || value;
  return VALUES_OF[name]?.[value] ?? String(value);
}

// ---- Roles whose own pages come later

export const LATER = {
  archive_keeper: ["档案移交与入库登记", "档案数字化与目录", "查档、证明和摘抄的申请审批"],
  branch_secretary: ["党费收缴台账", "组织关系接转", "支部会议和活动"],
  administrator: ["开通和停用工作人员账号", "行政区划维护", "政策参数（认证周期、提醒天数等）维护"],
};

// ---- Small helpers

/** The word of a token, or the token itself where a newer server knows one that these pages do not. */
export const word = (words, token) => (token === null || token === undefined || token === "" ? "" : (words[token] ?? token));
export const options = (words) => Object.entries(words).map(([value, label]) => ({ value, label }));

const SHANGHAI = 8 * 3_600_000;
export const today = () => new Date(Date.now() + SHANGHAI).toISOString().slice(0, 10);
export const minute = (instant) => (instant ? instant.slice(0, 16).replace("T", " ") : "");
export const second = (instant) => (instant ? instant.slice(0, 19).replace("T", " ") : "");

export function addMonths(day, months) {
  const [year, month, date] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}

export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** 73, or "" where the birth is not known. */
export function age(birth) {
  if (!birth) return "";
  const now = today();
  return Number(now.slice(0, 4)) - Number(birth.slice(0, 4)) - (now.slice(5) < birth.slice(5) ? 1 : 0);
}

/** How long something has waited: 3天, 5小时, 20分钟. */
export function waited(instant) {
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(instant)) / 60_000));
  if (minutes < 1) return "不到1分钟";
  if (minutes < 60) return `${minutes}分钟`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}小时`;
  return `${Math.floor(minutes / 24 / 60)}天`;
}

/** 还有12天 / 已逾期3天 for a due day. */
export function dueIn(day) {
  if (!day) return "";
  const days = daysBetween(today(), day);
  if (days < 0) return `已过${-days}天`;
  return days === 0 ? "今天到期" : `还有${days}天`;
}
