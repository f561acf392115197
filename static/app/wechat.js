// WeChat, where these pages stand in the web-view of a mini-program whose developer has added WeChat's own script. Anywhere
// else there is no `wx`, and nothing of this is offered. A web-view can neither ask for subscribe messages nor open a Word
// document: the mini-program has pages of its own for that (docs/mini-program.md).

const program = () => (window.wx || {}).miniProgram;

export const insideMiniProgram = () => Boolean(program());

const open = (page, query) => program().navigateTo({ url: `/pages/${page}/${page}?${new URLSearchParams(query)}` });

/** The page that asks for one message of each template of the moment. */
export const askForGrants = (moment) => open("reminders", { moment });

/** The page that fetches a file and hands it to the phone's own reader. */
export const openFile = (path, name) => open("file", { path, name });
