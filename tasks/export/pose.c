/* Computes the pose of the camera at a point of a path. */
#include "tasks/export/pose.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

#define DEGREE (M_PI / 180)

/* Shepperd's method: starts from the largest of the four elements, so that no division is
 * by nearly zero. */
static void to_quaternion(double r[3][3], double q[4])
{
	static const int next[3] = {1, 2, 0};
	double trace = r[0][0] + r[1][1] + r[2][2], root;
	int i = 0, j, k;

	for (int axis = 1; axis < 3; axis++)
		if (r[axis][axis] > r[i][i])
			i = axis;
	if (trace >= r[i][i]) {
		root = sqrt(1 + trace);
		q[0] = root / 2;
		q[1] = (r[2][1] - r[1][2]) / (2 * root);
		q[2] = (r[0][2] - r[2][0]) / (2 * root);
		q[3] = (r[1][0] - r[0][1]) / (2 * root);
	} else {
		j = next[i];
		k = next[j];
		root = sqrt(1 + r[i][i] - r[j][j] - r[k][k]);
		q[1 + i] = root / 2;
		q[1 + j] = (r[j][i] + r[i][j]) / (2 * root);
		q[1 + k] = (r[k][i] + r[i][k]) / (2 * root);
		q[0] = (r[k][j] - r[j][k]) / (2 * root);
	}
	if (q[0] < 0)
		for (int n = 0; n < 4; n++)
			q[n] = -q[n];
}

/* The directions of the stored pixels' x and y in the upright picture: 0 is right, 1 is
 * down. */
struct turn {
	int flag;
	int x, x_sign, y, y_sign;
};

static const struct turn turns[] = {
	{1, 0, 1, 1, 1},
	{3, 0, -1, 1, -1},
	{6, 1, 1, 0, -1},
	{8, 1, -1, 0, 1},
};

static const struct turn *find_turn(int flag)
{
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		if (turns[i].flag == flag)
			return &turns[i];
	return NULL;
}

int pose_at(const struct path_point *point, double radius, int orientation,
	    struct pose *pose)
{
	const struct turn *turn = find_turn(orientation);
	double theta = point->theta * DEGREE, fi = point->fi * DEGREE;
	const double upright[3][3] = {
		/* right = ahead x up; down is towards larger theta; ahead is inwards */
		{-sin(fi), cos(fi), 0},
		{cos(theta) * cos(fi), cos(theta) * sin(fi), -sin(theta)},
		{-sin(theta) * cos(fi), -sin(theta) * sin(fi), -cos(theta)},
	};

	if (!turn)
		return -ENOTSUP;
	path_cartesian(point, radius, pose->centre);
	for (int k = 0; k < 3; k++) {
		pose->rotation[0][k] = turn->x_sign * upright[turn->x][k];
		pose->rotation[1][k] = turn->y_sign * upright[turn->y][k];
		pose->rotation[2][k] = upright[2][k];
	}
	for (int i = 0; i < 3; i++) {
		pose->translation[i] = 0;
		for (int k = 0; k < 3; k++)
			pose->translation[i] -= pose->rotation[i][k] * pose->centre[k];
	}
	to_quaternion(pose->rotation, pose->quaternion);
	return 0;
}
