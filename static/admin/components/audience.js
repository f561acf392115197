// Who a notice is for: the server's expression as a tree that can be edited, and back; and as a sentence.
//
// Expression: {"all": [e…]}, {"any": [e…]}, {"not": e} or {"field", "op", "value"}. In the tree a "not" is a mark of its node.

let made = 0;

export const group = (join = "all", children = []) => ({ key: ++made, not: false, join, children });
export const leaf = () => ({ key: ++made, not: false, field: "", op: "", value: null });

export function toTree(expression) {
  if (expression.not) {
    const node = toTree(expression.not);
    node.not = !node.not;
    return node;
  }
  for (const join of ["all", "any"]) if (expression[join]) return group(join, expression[join].map(toTree));
  const { field, op, value } = expression;
  // one value is a list of one: the builder always lets several be chosen
  return { key: ++made, not: false, field, ...(op === "is" && typeof value === "string" ? { op: "in", value: [value] } : { op, value }) };
}

/** The whole expression as a group that the builder can show. */
export function toRoot(expression) {
  const node = toTree(expression || { all: [] });
  return node.children && !node.not ? node : group("all", [node]);
}

export const filled = (node) => Boolean(node.field && node.op) && node.value !== null && node.value !== undefined && node.value !== "" && !(Array.isArray(node.value) && !node.value.length);

/** The expression of a tree; conditions that are not filled in yet, and groups without any, are left out. */
export function fromTree(node) {
  const inner = node.children ? { [node.join]: node.children.map(fromTree).filter(Boolean) } : { field: node.field, op: node.op, value: node.value };
  if (node.children ? !inner[node.join].length : !filled(node)) return null;
  return node.not ? { not: inner } : inner;
}

export const fromRoot = (root) => fromTree(root) || { all: [] };

export const unfilled = (node) => (node.children ? node.children.reduce((sum, child) => sum + unfilled(child), 0) : filled(node) ? 0 : 1);
export const leaves = (node) => (node.children ? node.children.reduce((sum, child) => sum + leaves(child), 0) : 1);

/** In words: “年龄满80岁，并且（社区是桂花街道，或者困难情况是孤寡独居）”. */
export function inWords(expression, fields, names = {}, everybody = "本单位辖区的全部人员") {
  if (!expression || expression.all?.length === 0) return everybody;
  const one = (part, nested) => {
    if (part.not) return `不是（${one(part.not, false)}）`;
    for (const [join, between] of [["all", "，并且"], ["any", "，或者"]]) {
      if (!part[join]) continue;
      const text = part[join].map((each) => one(each, true)).join(between);
      return nested && part[join].length > 1 ? `（${text}）` : text;
    }
    return leafInWords(part, fields, names);
  };
  return one(expression, false);
}

function leafInWords({ field, op, value }, fields, names) {
  const known = fields.find((each) => each.field === field);
  const title = known?.name || field;
  const say = (each) => names[each] ?? known?.values?.find((choice) => choice.value === each)?.name ?? String(each);
  if (known?.kind === "boolean") return value ? `是${title}` : `不是${title}`;
  if (known?.kind === "number") return `${title}${{ at_least: "不小于", at_most: "不大于", is: "正好" }[op]}${value}`;
  const values = Array.isArray(value) ? value : [value];
  if (known?.kind === "retiree") return `名单上的${values.length}人`;
  return `${title}是${values.map(say).join("或")}`;
}
