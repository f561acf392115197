// The size of the letters, as three choices.

import { LETTER_SIZES, setLetters, state } from "../store.js";

export default {
  setup: () => ({ LETTER_SIZES, setLetters, state }),
  template: /* html */ `
    <fieldset class="choices choices-row">
      <legend>字号大小</legend>
      <label v-for="[size, name] in LETTER_SIZES" :key="size" class="choice" :class="{ chosen: state.letters === size }">
        <input type="radio" name="letters" :value="size" :checked="state.letters === size" :data-testid="'letters-' + size"
          @change="setLetters(size)">
        <span>{{ name }}</span>
      </label>
    </fieldset>
  `,
};
