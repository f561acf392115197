// The camera, and photographs made small.
//
// The preview is a mirror, because people know themselves that way; what is sent is the picture as the camera sees it,
// never mirrored, because left and right are the person's own to whoever checks.

const STREAM_SIDE = 960; // what the check reads; more would only make the upload slow
const PHOTO_SIDE = 1280;
const QUALITY = 0.9;

/** Plain http from another machine, and some old browsers, offer no camera stream at all. */
export const cameraOffered = () => Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);

/** Open the front camera into a <video>. Throws what the browser throws: refused, none there, in use. */
export async function openCamera(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } },
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

export function closeCamera(stream) {
  if (stream) stream.getTracks().forEach((track) => track.stop());
}

/** One frame of a running <video> as a JPEG, not mirrored. */
export const frameOf = (video) => drawn(video, video.videoWidth, video.videoHeight, STREAM_SIDE);

/** A photograph made small, upright as it was taken. Throws where the file is no picture that this phone can open. */
export async function reduced(file) {
  const picture = await opened(file);
  try {
    return await drawn(picture, picture.width, picture.height, PHOTO_SIDE);
  } finally {
    if (picture.close) picture.close();
  }
}

async function opened(file) {
  if (window.createImageBitmap) {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch (error) {
      // old Safari knows the function but not its options
    }
  }
  const address = URL.createObjectURL(file);
  const image = new Image();
  image.src = address;
  try {
    await image.decode(); // an <img> turns itself upright
  } finally {
    URL.revokeObjectURL(address);
  }
  return image;
}

function drawn(source, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    const done = (blob) => (blob ? resolve(blob) : reject(new Error("the canvas gave no picture")));
    canvas.toBlob(done, "image/jpeg", QUALITY);
  });
}
