// A face that shows what to do, seen as in a mirror: the person's own left is on the left.

const TURN = { turn_left: -1, turn_right: 1 };

export default {
  props: { action: { type: String, required: true } },
  setup(props) {
    return { side: Vue.computed(() => TURN[props.action] || 0) };
  },
  template: /* html */ `
    <svg class="drawing" viewBox="0 0 120 120" aria-hidden="true" focusable="false" fill="none" stroke="currentColor"
      stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
      <ellipse cx="60" cy="60" rx="34" ry="42" class="drawing-skin"/>
      <g :transform="'translate(' + side * 13 + ' ' + (action === 'nod' ? 8 : 0) + ')'">
        <g v-if="action === 'blink'"><path d="M39 54q7 6 14 0M67 54q7 6 14 0"/></g>
        <g v-else fill="currentColor" stroke="none"><circle cx="46" cy="52" r="4.5"/><circle cx="74" cy="52" r="4.5"/></g>
        <path v-if="side" :d="side < 0 ? 'M58 56l-8 12h8' : 'M62 56l8 12h-8'"/>
        <path v-else d="M60 56v12"/>
        <ellipse v-if="action === 'open_mouth'" cx="60" cy="84" rx="10" ry="12" fill="currentColor"/>
        <path v-else d="M50 83q10 6 20 0"/>
      </g>
      <path v-if="action === 'turn_left'" class="drawing-arrow" d="M22 20H4M11 12l-8 8 8 8"/>
      <path v-if="action === 'turn_right'" class="drawing-arrow" d="M98 20h18M109 12l8 8-8 8"/>
      <path v-if="action === 'nod'" class="drawing-arrow" d="M108 34v40M99 65l9 10 9-10"/>
    </svg>
  `,
};
