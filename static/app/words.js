// Days and numbers as people say them.

import { serverNow } from "./api.js";

/** Where somebody lives, as the pension office divides the world. */
export const RESIDENCES = {
  local: "就在本地",
  other_county: "外市",
  other_province: "外省",
  hk_mo_tw: "港澳台",
  abroad: "国外",
};

/** What a notice is about. The order is that of the library's first page. */
export const CATEGORIES = {
  pension: "养老金",
  medical: "医疗",
  benefit: "补贴福利",
  activity: "活动",
  safety: "安全防骗",
  party: "党员",
  other: "其他",
};

/** What kind of notice it is. */
export const KINDS = { policy: "政策", announcement: "通知", question: "常见问题" };

/** The tag of a notice that must not be missed; a routine one has none. */
export const IMPORTANCE = { important: "重要", emergency: "紧急" };

const DAY_MS = 86_400_000;
const SHANGHAI_MS = 8 * 3_600_000;

/** 2026-03-15 as 2026年3月15日; also the day of an instant with its +08:00. */
export function day(text) {
  if (!text) return "";
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return `${year}年${month}月${date}日`;
}

/** Whole days from today in Shanghai until a day; negative when it has gone by. */
export function daysUntil(text) {
  const today = new Date(serverNow() + SHANGHAI_MS).toISOString().slice(0, 10);
  return Math.round((Date.parse(text) - Date.parse(today)) / DAY_MS);
}

/** When something came, as one would tell a neighbour: 今天9:05, 昨天14:30, else the day. Takes an instant with its +08:00. */
export function when(instant) {
  const gone = -daysUntil(instant.slice(0, 10));
  if (gone > 1) return day(instant);
  return `${gone ? "昨天" : "今天"}${Number(instant.slice(11, 13))}:${instant.slice(14, 16)}`;
}

/** The size of a file: 860 KB, 1.2 MB. */
export const fileSize = (bytes) =>
  bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

/** 16900000001 as 169 0000 0001, so that it can be checked by eye. */
export const phoneInGroups = (digits) => digits.replace(/^(\d{3})(\d{0,4})(\d{0,4}).*$/, "$1 $2 $3").trim();

/** An ID number in its parts: place, birth, the rest. */
export const idInGroups = (number) => number.replace(/^(.{6})(.{0,8})(.{0,4}).*$/, "$1 $2 $3").trim();

/** A short line in the parts between which it may break. */
export const phrases = (line) => line.match(/[^，]+，?/g);

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** What is wrong with an ID number, or "". A slip is found here because the server counts the tries of a day. */
export function idNumberFault(number) {
  if (!number) return "请填写身份证号。";
  if (/^\d{15}$/.test(number)) return ""; // the old form carries no check digit
  if (!/^\d{17}[\dX]$/.test(number)) return "身份证号应为18位，请数一数再填。";
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  return "10X98765432"[sum % 11] === number[17] ? "" : "身份证号有一位不对，请照身份证再看一遍。";
}
