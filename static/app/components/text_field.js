// One field of a form: its name above it, what to write below it, what is wrong right there in words.

let count = 0;

export default {
  props: {
    modelValue: { type: String, required: true },
    label: { type: String, required: true },
    hint: { type: String, default: "" },
    error: { type: String, default: "" },
    readBack: { type: String, default: "" }, // what was typed, in groups that an eye can check
  },
  emits: ["update:modelValue"],
  inheritAttrs: false,
  setup() {
    count += 1;
    return { id: `field-${count}` };
  },
  template: /* html */ `
    <div class="field" :class="{ 'field-wrong': error }">
      <label :for="id">{{ label }}</label>
      <p v-if="hint" :id="id + '-hint'" class="hint">{{ hint }}</p>
      <input class="weui-input" :id="id" v-bind="$attrs" :value="modelValue"
        :aria-invalid="error ? 'true' : null"
        :aria-describedby="[hint && id + '-hint', error && id + '-error'].filter(Boolean).join(' ') || null"
        @input="$emit('update:modelValue', $event.target.value)">
      <p v-if="readBack" class="read-back" data-quiet>您填的是：<span>{{ readBack }}</span></p>
      <p v-if="error" :id="id + '-error'" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
    </div>
  `,
};
