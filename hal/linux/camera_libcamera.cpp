/* The module "camera": cameras of libcamera behind the functions of camera_module.h.
 *
 * Written for 0.0.3 (Debian 12) and 0.4 (Debian 13), and run with both.  ExposureTimeMode
 * and AnalogueGainMode, which came with 0.5, are used where the headers have them:
 * compiled against the headers of 0.5.2, 0.6.0 and 0.7.2, but never run. */
extern "C" {
#include "hal/linux/camera_module.h"
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <libcamera/libcamera.h>

extern "C" {
#include "hal/linux/camera_format.h"
#include "hal/linux/request_queue.h"
#include "hal/linux/frame_picker.h"
#include "hal/linux/camera_memory.h"
}

using namespace libcamera;

#define LIBCAMERA_AT_LEAST(major, minor)                                                 \
	(LIBCAMERA_VERSION_MAJOR > (major) ||                                            \
	 (LIBCAMERA_VERSION_MAJOR == (major) && LIBCAMERA_VERSION_MINOR >= (minor)))

namespace
{

constexpr int64_t UDEV_MS = 2000; /* until udev has reported a removal */

/* ---- controls ---- */

const std::array<const ControlId *, CAMERA_CONTROLS> &all_controls()
{
	static const std::array<const ControlId *, CAMERA_CONTROLS> all = {
		&controls::AeEnable,
		&controls::AwbEnable,
		&controls::draft::NoiseReductionMode,
		&controls::ExposureTime,
		&controls::FrameDurationLimits,
		&controls::AnalogueGain,
		&controls::ColourGains,
		&controls::Saturation,
		&controls::Contrast,
		&controls::ScalerCrop,
		&controls::AfMode,
		&controls::AfTrigger,
		&controls::AfMetering,
		&controls::AfWindows,
		&controls::LensPosition,
	};

	return all;
}

/* Maps of controls are searched by address: by number, 0.0.3 also answers for controls
 * that the camera lacks. */

/* Clamps to what the camera allows: some refuse a whole list for one value outside. */
template <typename T> T within(double value, const ControlInfo &info)
{
	const ControlType type = details::control_type<T>::value;

	if (info.min().type() != type || info.max().type() != type ||
	    info.min().isArray())
		return T(value);
	const double least = double(info.min().get<T>()),
		     most = double(info.max().get<T>());
	return T(least < most ? std::clamp(value, least, most) : value);
}

ControlValue value_of(const camera_control &control, const ControlInfo &info)
{
	const double *v = control.value;
	const Rectangle part = {int(v[0]), int(v[1]), unsigned(v[2]), unsigned(v[3])};
	const std::array<float, 2> gains = {float(v[0]), float(v[1])};
	const std::array<int64_t, 2> limits = {within<int64_t>(v[0], info),
					       within<int64_t>(v[1], info)};

	switch (control.id) {
	case CAMERA_AE_ENABLE:
	case CAMERA_AWB_ENABLE:
		return ControlValue(v[0] != 0);
	case CAMERA_COLOUR_GAINS:
		return ControlValue(Span<const float>(gains));
	case CAMERA_FRAME_DURATION_LIMITS:
		return ControlValue(Span<const int64_t>(limits));
	case CAMERA_SCALER_CROP:
		return ControlValue(part);
	case CAMERA_AF_WINDOWS:
		return ControlValue(Span<const Rectangle>(&part, 1));
	case CAMERA_ANALOGUE_GAIN:
	case CAMERA_SATURATION:
	case CAMERA_CONTRAST:
	case CAMERA_LENS_POSITION:
		return ControlValue(within<float>(v[0], info));
	default:
		return ControlValue(within<int32_t>(v[0], info));
	}
}

/* Manual modes, where AeEnable no longer covers both. */
void add_modes([[maybe_unused]] ControlList &list,
	       [[maybe_unused]] const ControlInfoMap &infos)
{
#if LIBCAMERA_AT_LEAST(0, 5)
	if (infos.count(&controls::ExposureTimeMode))
		list.set(controls::ExposureTimeMode, controls::ExposureTimeModeManual);
	if (infos.count(&controls::AnalogueGainMode))
		list.set(controls::AnalogueGainMode, controls::AnalogueGainModeManual);
#endif
}

/* The controls of the order that the camera has.  A trigger belongs to one request only,
 * or focusing starts again with each. */
ControlList list_of(const camera_order &order, const ControlInfoMap &infos, bool trigger)
{
	ControlList list(infos);
	bool measures = false;

	for (size_t i = 0; i < order.control_count; i++) {
		const camera_control &control = order.controls[i];
		const ControlId *id = all_controls()[control.id];

		measures = measures ||
			   (control.id == CAMERA_AE_ENABLE && control.value[0] != 0);
		if (infos.count(id) && (trigger || control.id != CAMERA_AF_TRIGGER))
			list.set(id->id(), value_of(control, infos.at(id)));
	}
	if (!measures)
		add_modes(list, infos);
	return list;
}

camera_metadata metadata_of(const ControlList &metadata)
{
	const auto gains = metadata.get(controls::ColourGains);

	return {
		double(metadata.get(controls::ExposureTime).value_or(-1)),
		double(metadata.get(controls::AnalogueGain).value_or(-1)),
		double(metadata.get(controls::LensPosition).value_or(-1)),
		gains ? double((*gains)[0]) : -1,
		gains ? double((*gains)[1]) : -1,
		metadata.get(controls::SensorTimestamp).value_or(-1),
		int(metadata.get(controls::AfState).value_or(-1)),
	};
}

/* ---- formats and memory ---- */

/* An enum camera_layout, or -1. */
int layout_of(const PixelFormat &format)
{
	return format.modifier() ? -1 : camera_format_layout(format.fourcc());
}

PixelFormat best_format(const StreamConfiguration &stream)
{
	std::vector<uint32_t> offered;

	for (const PixelFormat &format : stream.formats().pixelformats())
		if (!format.modifier())
			offered.push_back(format.fourcc());
	const uint32_t best = camera_format_best(offered.data(), offered.size());
	return best ? PixelFormat(best) : stream.pixelFormat;
}

using Memory = std::unique_ptr<camera_memory, decltype(&camera_memory_unmap)>;
using RequestQueue = std::unique_ptr<request_queue, decltype(&request_queue_free)>;

/* ---- the library ---- */

/* A process may have one CameraManager at a time.  It searches for cameras when it is
 * created, and is destroyed with its last user. */
class Library
{
      public:
	Library() = default;
	~Library()
	{
		leave();
	}
	Library(const Library &) = delete;
	Library &operator=(const Library &) = delete;

	int use(struct err *err)
	{
		std::lock_guard<std::mutex> guard(lock);

		if (!manager) {
			manager = std::make_unique<CameraManager>();
			const int ret = manager->start();
			if (ret < 0) {
				manager.reset();
				return err_code(err, ret, "hal_unavailable",
						"libcamera does not start: %s",
						strerror(-ret));
			}
		}
		users++;
		used = true;
		return 0;
	}
	void leave()
	{
		std::lock_guard<std::mutex> guard(lock);

		if (used && --users == 0)
			manager.reset();
		used = false;
	}
	std::vector<std::shared_ptr<Camera>> cameras() const
	{
		return manager->cameras();
	}
	std::shared_ptr<Camera> get(const char *id) const
	{
		return manager->get(id);
	}

      private:
	static std::mutex lock;
	static std::unique_ptr<CameraManager> manager;
	static int users;
	bool used = false;
};

std::mutex Library::lock;
std::unique_ptr<CameraManager> Library::manager;
int Library::users;

/* Whether the kernel still has all devices of the camera.  0.0.3 does not report them and
 * does not need this. */
bool devices_exist([[maybe_unused]] const Camera &camera)
{
#if LIBCAMERA_AT_LEAST(0, 1)
	const auto numbers = camera.properties().get(properties::SystemDevices);

	for (const int64_t number : numbers.value_or(Span<const int64_t>())) {
		const std::string path = "/sys/dev/char/" +
					 std::to_string(major(dev_t(number))) + ":" +
					 std::to_string(minor(dev_t(number)));

		if (access(path.c_str(), F_OK) < 0)
			return false;
	}
#endif
	return true;
}

/* A request with its buffer, and the photo that it was queued for. */
struct Slot {
	std::unique_ptr<Request> request;
	FrameBuffer *buffer;
	std::vector<Memory> planes;
	unsigned photo;
	bool queued;
};

} /* namespace */

/* ---- one camera ---- */

struct camera_device {
	camera_device() = default;
	~camera_device();
	camera_device(const camera_device &) = delete;
	camera_device &operator=(const camera_device &) = delete;

	int open(const char *id, camera_facts *out, struct err *err);
	bool may_stop() const;
	void abandon();
	int shoot(const camera_order &order, camera_picture *out, struct err *err);

      private:
	void describe(camera_facts *out);
	int configure(const camera_order &order, struct err *err);
	int allocate(struct err *err);
	int start(const camera_order &order, struct err *err);
	int queue(Slot &slot, const ControlList &list, struct err *err);
	int queue_all(const camera_order &order, struct err *err);
	int choose(const camera_order &order, Slot **slot, camera_metadata *metadata,
		   struct err *err);
	int copy(const Slot &slot, const camera_metadata &metadata, camera_picture *out,
		 struct err *err) const;
	void stop();
	void completed(Request *request);
	void unplugged();

	Library library; /* destroyed last */
	std::shared_ptr<Camera> camera;
	camera_facts facts = {};
	std::unique_ptr<CameraConfiguration> config;
	std::unique_ptr<FrameBufferAllocator> allocator;
	std::vector<Slot> slots;
	bool preview = false, started = false;
	int width = 0, height = 0; /* as requested */
	unsigned photo = 0;

	RequestQueue requests = {request_queue_new(), request_queue_free};
};

camera_device::~camera_device()
{
	if (!camera)
		return;
	stop();
	camera->requestCompleted.disconnect(this);
	camera->disconnected.disconnect(this);
	camera->release();
}

void camera_device::completed(Request *request)
{
	request_queue_put(requests.get(), request->cookie());
}

void camera_device::unplugged()
{
	request_queue_unplugged(requests.get());
}

int camera_device::open(const char *id, camera_facts *out, struct err *err)
{
	int ret = library.use(err);

	if (ret < 0)
		return ret;
	if (!requests)
		return err_set(err, -ENOMEM, "out of memory");
	std::shared_ptr<Camera> found = library.get(id);
	if (!found)
		return err_code(err, -ENODEV, "hardware_fault", "it is not plugged in");
	ret = found->acquire();
	if (ret < 0)
		return err_code(err, ret, "hardware_fault",
				ret == -EBUSY ? "another program is using it"
					      : "it cannot be opened");
	camera = found;
	camera->requestCompleted.connect(this, &camera_device::completed);
	camera->disconnected.connect(this, &camera_device::unplugged);
	config = camera->generateConfiguration({StreamRole::StillCapture});
	if (!config || config->empty())
		return err_code(err, -ENODEV, "hardware_fault", "it takes no photos");
	describe(&facts);
	*out = facts;
	return 0;
}

void camera_device::describe(camera_facts *out)
{
	const Size largest = config->at(0).size;
	const auto crop = camera->properties().get(properties::ScalerCropMaximum);
	const auto areas = camera->properties().get(properties::PixelArrayActiveAreas);
	Size sensor = largest;

	if (crop)
		sensor = crop->size();
	else if (areas && !areas->empty())
		sensor = (*areas)[0].size();
	out->width = int(largest.width);
	out->height = int(largest.height);
	out->sensor_width = int(sensor.width);
	out->sensor_height = int(sensor.height);
	for (size_t i = 0; i < CAMERA_CONTROLS; i++)
		out->has[i] = camera->controls().count(all_controls()[i]) > 0;
}

/* Whether the camera may be stopped.  When a camera has vanished, 0.4 finds requests that
 * did not come back, and an assertion ends the whole process; unless its pipeline handler
 * was told, as for USB cameras, and then there is nothing to stop. */
bool camera_device::may_stop() const
{
	return !started || devices_exist(*camera) ||
	       request_queue_is_unplugged(requests.get(), UDEV_MS);
}

/* For a camera that must not be stopped, and therefore not released or destroyed either:
 * it stays as it is, but the library is left and starts again for the next photo, unless
 * another camera needs it. */
void camera_device::abandon()
{
	camera->requestCompleted.disconnect(this);
	camera->disconnected.disconnect(this);
	library.leave();
}

/* Also frees the buffers of the stream. */
void camera_device::stop()
{
	if (started)
		camera->stop();
	started = false;
	slots.clear();
	allocator.reset();
	request_queue_clear(requests.get()); /* no request completes any more */
}

int camera_device::allocate(struct err *err)
{
	Stream *stream = config->at(0).stream();

	allocator = std::make_unique<FrameBufferAllocator>(camera);
	if (allocator->allocate(stream) < 0)
		return err_code(err, -ENOMEM, "hardware_fault",
				"it has no memory for photos");
	for (const std::unique_ptr<FrameBuffer> &buffer : allocator->buffers(stream)) {
		Slot slot = {
			camera->createRequest(slots.size()), buffer.get(), {}, 0, false};

		if (!slot.request || slot.request->addBuffer(stream, buffer.get()) < 0)
			return err_code(err, -EIO, "hardware_fault",
					"it takes no requests");
		for (const FrameBuffer::Plane &plane : buffer->planes()) {
			slot.planes.emplace_back(camera_memory_map(plane.fd.get(),
								   plane.offset,
								   plane.length),
						 camera_memory_unmap);
			if (!slot.planes.back())
				return err_code(err, -ENOMEM, "hardware_fault",
						"its photos cannot be read");
		}
		slots.push_back(std::move(slot));
	}
	return 0;
}

int camera_device::configure(const camera_order &order, struct err *err)
{
	if (!may_stop())
		return err_code(err, -ENODEV, "hardware_fault", "it was unplugged");
	stop();
	width = height = 0;
	config = camera->generateConfiguration(
		{order.preview ? StreamRole::Viewfinder : StreamRole::StillCapture});
	if (!config || config->empty())
		return err_code(err, -EIO, "hardware_fault", "it cannot be configured");
	StreamConfiguration &stream = config->at(0);
	stream.pixelFormat = best_format(stream);
	stream.size = Size(unsigned(order.width), unsigned(order.height));
	if (config->validate() == CameraConfiguration::Invalid ||
	    camera->configure(config.get()) < 0)
		return err_code(err, -EIO, "hardware_fault",
				"it cannot be configured for photos of %d by %d",
				order.width, order.height);
	if (layout_of(stream.pixelFormat) < 0)
		return err_code(err, -ENOTSUP, "hardware_fault",
				"its pixel format %s is not known",
				stream.pixelFormat.toString().c_str());
	const int ret = allocate(err);
	if (ret < 0)
		return ret;
	preview = order.preview;
	width = order.width;
	height = order.height;
	return 0;
}

int camera_device::start(const camera_order &order, struct err *err)
{
	const ControlList list = list_of(order, camera->controls(), false);
	int ret = 0;

	if (order.preview != preview || order.width != width || order.height != height)
		ret = configure(order, err);
	if (ret < 0 || started)
		return ret;
	ret = camera->start(&list);
	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "it does not start: %s",
				strerror(-ret));
	started = true;
	return 0;
}

int camera_device::queue(Slot &slot, const ControlList &list, struct err *err)
{
	slot.request->reuse(Request::ReuseBuffers);
	slot.request->controls().merge(list);
	slot.photo = photo;
	slot.queued = true;
	const int ret = camera->queueRequest(slot.request.get());
	if (ret == 0)
		return 0;
	slot.queued = false;
	return err_code(err, ret, "hardware_fault", "it takes no request: %s",
			strerror(-ret));
}

int camera_device::queue_all(const camera_order &order, struct err *err)
{
	bool first = true;

	for (Slot &slot : slots) {
		if (slot.queued)
			continue;
		const int ret =
			queue(slot, list_of(order, camera->controls(), first), err);
		if (ret < 0)
			return ret;
		first = false;
	}
	return 0;
}

/* Requeues frames until one is the photo. */
int camera_device::choose(const camera_order &order, Slot **slot,
			  camera_metadata *metadata, struct err *err)
{
	struct timespec now;
	frame_picker picker;
	uint64_t cookie;

	clock_gettime(CLOCK_BOOTTIME, &now);
	frame_picker_begin(&picker, order.controls, order.control_count, &facts,
			   now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
	int ret = queue_all(order, err);
	while (ret == 0) {
		ret = request_queue_take(requests.get(), &order, &cookie, err);
		if (ret < 0)
			break;
		*slot = &slots[cookie];
		Request *request = (*slot)->request.get();
		(*slot)->queued = false;
		if (request->status() == Request::RequestCancelled)
			return err_code(err, -EIO, "hardware_fault",
					"it stopped by itself");
		*metadata = metadata_of(request->metadata());
		clock_gettime(CLOCK_BOOTTIME, &now);
		if ((*slot)->photo == photo &&
		    (*slot)->buffer->metadata().status == FrameMetadata::FrameSuccess &&
		    frame_picker_accepts(&picker, metadata,
					 now.tv_sec * INT64_C(1000000000) + now.tv_nsec))
			return 0;
		ret = queue(**slot, list_of(order, camera->controls(), false), err);
	}
	return ret;
}

int camera_device::copy(const Slot &slot, const camera_metadata &metadata,
			camera_picture *out, struct err *err) const
{
	const StreamConfiguration &stream = config->at(0);
	std::array<size_t, CAMERA_PLANES> sizes = {};
	camera_picture picture = {};

	picture.layout = camera_layout(layout_of(stream.pixelFormat));
	picture.full_range =
		!stream.colorSpace || stream.colorSpace->range == ColorSpace::Range::Full;
	picture.width = int(stream.size.width);
	picture.height = int(stream.size.height);
	picture.metadata = metadata;
	const size_t planes =
		size_t(camera_format_place(&picture, stream.stride, sizes.data()));
	if (slot.planes.size() < planes)
		return err_code(err, -EIO, "hardware_fault", "its photo lacks a plane");
	picture.bytes = static_cast<uint8_t *>(calloc(1, picture.size));
	if (!picture.bytes)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < planes; i++)
		camera_memory_copy(slot.planes[i].get(),
				   picture.bytes + picture.offset[i], sizes[i]);
	*out = picture;
	return 0;
}

int camera_device::shoot(const camera_order &order, camera_picture *out, struct err *err)
{
	camera_metadata metadata = {};
	Slot *slot = nullptr;
	int ret;

	photo++;
	ret = start(order, err);
	if (ret == 0)
		ret = choose(order, &slot, &metadata, err);
	return ret < 0 ? ret : copy(*slot, metadata, out, err);
}

/* ---- the C functions; no exception leaves them ---- */

namespace
{

int explain(const std::exception &e, struct err *err)
{
	return err_code(err, -EIO, "hardware_fault", "libcamera failed: %s", e.what());
}

int library_list(camera_identity *found, size_t room, struct err *err)
try {
	Library library;
	size_t count = 0;
	const int ret = library.use(err);

	if (ret < 0)
		return ret;
	for (const std::shared_ptr<Camera> &camera : library.cameras()) {
		const std::string model(camera->properties()
						.get(properties::Model)
						.value_or(camera->id()));

		if (count < room) {
			snprintf(found[count].id, CAMERA_ID, "%s", camera->id().c_str());
			snprintf(found[count].model, CAMERA_ID, "%s", model.c_str());
		}
		count++;
	}
	return int(count);
} catch (const std::exception &e) {
	return explain(e, err);
}

int device_open(camera_device **out, const char *id, camera_facts *facts, struct err *err)
try {
	auto device = std::make_unique<camera_device>();
	const int ret = device->open(id, facts, err);

	if (ret == 0)
		*out = device.release();
	return ret;
} catch (const std::exception &e) {
	return explain(e, err);
}

void device_close(camera_device *device)
{
	/* Kept for ever: its members would not survive destruction. */
	static auto *const lost = new std::vector<camera_device *>;
	static std::mutex lost_lock;

	if (!device || device->may_stop()) {
		delete device;
		return;
	}
	device->abandon();
	std::lock_guard<std::mutex> guard(lost_lock);
	lost->push_back(device);
}

int device_shoot(camera_device *device, const camera_order *order, camera_picture *out,
		 struct err *err)
try {
	return device->shoot(*order, out, err);
} catch (const std::exception &e) {
	return explain(e, err);
}

} /* namespace */

extern "C" {
const struct camera_module module_camera = {
	library_list,
	device_open,
	device_close,
	device_shoot,
};
}
