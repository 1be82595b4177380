import { Body, Controller, Delete, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { type Request, type Response } from 'express';
import { QueryNames, Unlimited } from '../http/index.js';
import { AdminChange } from './admin.docs.js';
import { NeedsNoCredential, unauthorized } from './guard/admin-guard.js';
import { Credentials } from './guard/credentials.js';
import { cookieOptions, sessionCookie } from './guard/session-cookie.js';

export class SignIn {
  @ApiProperty({ description: '`ADMIN_TOKEN`', format: 'password', minLength: 1, maxLength: 512 })
  @IsString()
  @MinLength(1)
  @MaxLength(512)
  token!: string;
}

/**
 * Sessions of browsers, which cannot send a bearer token with a link or an event stream. No node keeps them: signing out
 * takes the cookie away from this browser; a copy of it stays good until its time is up or the token is changed.
 */
@ApiTags('admin')
@Unlimited('load')
@Controller('admin/session')
@QueryNames()
export class SessionController {
  constructor(private readonly credentials: Credentials) {}

  @Post()
  @NeedsNoCredential()
  @HttpCode(204)
  @AdminChange('Sign in', 'Sets an HttpOnly cookie for `/admin` that lasts 8 hours.', { 400: 'no token' })
  @ApiResponse({
    status: 204,
    description: 'signed in',
    headers: { 'Set-Cookie': { description: 'the session', schema: { type: 'string' } } },
  })
  signIn(@Body() { token }: SignIn, @Req() req: Request, @Res({ passthrough: true }) res: Response): void {
    if (!this.credentials.accepts(token)) throw unauthorized();
    res.cookie(sessionCookie, this.credentials.openSession(), cookieOptions(req));
  }

  @Delete()
  @HttpCode(204)
  @AdminChange('Sign out', 'Takes the cookie back.')
  @ApiResponse({ status: 204, description: 'signed out' })
  signOut(@Req() req: Request, @Res({ passthrough: true }) res: Response): void {
    res.clearCookie(sessionCookie, cookieOptions(req));
  }
}
